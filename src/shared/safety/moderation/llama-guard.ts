/**
 * What did Llama Guard say? Its answer is `safe`, or `unsafe` and a line of hazards (`S1,S10`). Llama Guard 3 and 4 share the fourteen of
 * MLCommons: https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-3/. The one of Workers AI may say the same as JSON,
 * `{"safe": false, "categories": ["S1"]}`: https://developers.cloudflare.com/workers-ai/models/llama-guard-3-8b/.
 */
import { categories, type Category, noScores, type Scores } from "./categories.ts";

/** Hazards without a category in OpenAI's list (defamation, advice, privacy, property, elections) don't count. */
const hazards: Readonly<Record<string, readonly Category[]>> = {
  // Violent crimes; non-violent; sex-related; exploitation of children.
  S1: ["violence", "illicit", "illicit/violent"],
  S2: ["illicit"],
  S3: ["sexual", "illicit"],
  S4: ["sexual", "sexual/minors"],
  S5: [],
  S6: [],
  S7: [],
  S8: [],
  // Indiscriminate weapons; hate; suicide and self-harm; sexual content.
  S9: ["illicit", "illicit/violent"],
  S10: ["hate"],
  S11: ["self-harm"],
  S12: ["sexual"],
  S13: [],
  // Abuse of a code interpreter.
  S14: ["illicit"],
};

/**
 * A text without the template's frame. The template marks the conversation by `<BEGIN CONVERSATION>` and `<END CONVERSATION>`, which are plain
 * words and no control tokens: a message that contains them could end the conversation there, and dictate the verdict.
 */
export function withoutFrame(text: string): string {
  return text.replace(/<(?=\s*\/?\s*(?:begin|end)\b)/gi, "<\u200b");
}

/** Assumed probability of a verdict that comes without one. */
const usuallySure = 0.99;
/** Below 1, since a threshold of 1 means never. */
const surest = 0.9999;
/** It said `unsafe` and not `safe` at temperature 0, so `unsafe` was at least as likely as `safe`. */
const leastSure = 0.5;

/**
 * Any verdict, as a regular expression, for an engine that can constrain the answer. It allows the empty lines that some models begin with, so
 * that the first word comes where the model was trained to put it.
 */
export const verdictPattern = `(\\n\\n)?(safe|unsafe\\n${anyHazard()}(,${anyHazard()})*)`;

function anyHazard(): string {
  return `(${Object.keys(hazards).join("|")})`;
}

/** @param unsure the probability that the model gave to the word `unsafe`; `null`: unknown. Returns `null` if it said neither word. */
export function guardScores(answer: string, unsure: number | null): Scores | null {
  const said = fromJson(answer) ?? fromLines(answer);
  if (said === null) return null;
  const scores = noScores();
  const score = Math.min(surest, Math.max(leastSure, unsure ?? usuallySure));
  for (const hazard of said)
    for (const category of hazards[hazard] ?? []) scores[categories.indexOf(category)] = score;
  return scores;
}

/** The hazards; empty: safe; `null`: not a verdict. */
function fromLines(answer: string): readonly string[] | null {
  const [verdict = "", ...rest] = answer.trim().split(/\s*\n\s*/);
  if (/^safe$/i.test(verdict)) return [];
  return /^unsafe$/i.test(verdict) ? hazardsIn(rest.join(",")) : null;
}

function fromJson(answer: string): readonly string[] | null {
  if (!answer.trimStart().startsWith("{")) return null;
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    // It begins like JSON but is not: no verdict.
    return null;
  }
  const { safe, categories: named } = value as { readonly safe?: unknown; readonly categories?: unknown };
  if (safe === true) return [];
  if (safe !== false) return null;
  return hazardsIn(Array.isArray(named) ? named.join(",") : "");
}

function hazardsIn(text: string): readonly string[] | null {
  const named = (text.match(/\bS\d{1,2}\b/gi) ?? []).map((name) => name.toUpperCase());
  // Unsafe, but no known hazard: an empty list would wrongly mean safe.
  return named.some((name) => hazards[name] !== undefined) ? named : null;
}
