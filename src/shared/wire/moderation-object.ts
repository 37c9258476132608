/** How does a moderation answer look? OpenAI's object, with all of its thirteen categories for every input. */
import { categories, type Scores } from "../safety/moderation/categories.ts";

/** Scores from here on are flagged: training shifted every category's threshold to this. */
const flagFrom = 0.5;

const textOnly = Object.fromEntries(categories.map((category) => [category, ["text"]]));

export function moderationObject(id: string, model: string, results: readonly Scores[]): object {
  return { id, model, results: results.map(resultOf) };
}

function resultOf(scores: Scores): object {
  const named = categories.map((category, at) => [category, scores[at] ?? 0] as const);
  return {
    flagged: named.some(([, score]) => score >= flagFrom),
    categories: Object.fromEntries(named.map(([category, score]) => [category, score >= flagFrom])),
    category_scores: Object.fromEntries(named),
    category_applied_input_types: textOnly,
  };
}
