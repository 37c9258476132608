/**
 * What did Llama Guard say? Its answer is `safe`, or `unsafe` and a line of hazards (`S1,S10`). Llama Guard 3 and 4 share the fourteen of
 * MLCommons: https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-3/. Workers AI's may say the same as JSON,
 * `{"safe": false, "categories": ["S1"]}`: https://developers.cloudflare.com/workers-ai/models/llama-guard-3-8b/.
 */
import { categories, type Category, noScores, type Scores } from "./categories.ts";

/** Hazards that OpenAI's list has no category for (defamation, advice, privacy, property, elections) count for nothing here. */
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
 * A text as it may be shown to it. Its template frames a conversation in words, `<BEGIN CONVERSATION>` and `<END CONVERSATION>`, which are no
 * control tokens: whoever wrote them in a message would end it there, and could say what the verdict is to be.
 */
export function withoutFrame(text: string): string {
  return text.replace(/<(?=\s*\/?\s*(?:begin|end)\b)/gi, "<\u200b");
}

/** How sure it is where it does not tell. */
const usuallySure = 0.99;
/** A score of 1 would pass a threshold that means never. */
const surest = 0.9999;
/** It said `unsafe` and not `safe`, at temperature 0: of the two that was no less likely, whatever it might have said in place of both. */
const leastSure = 0.5;

/**
 * Any verdict, as a regular expression: for an engine that lets it say nothing else. With the empty lines that some begin with, so that its
 * first word is where it was trained to have it.
 */
export const verdictPattern = `(\\n\\n)?(safe|unsafe\\n${anyHazard()}(,${anyHazard()})*)`;

function anyHazard(): string {
  return `(${Object.keys(hazards).join("|")})`;
}

/** @param unsure the chance that the model gave to the word `unsafe` when it said so; `null`: it does not tell. Returns `null` where it said neither. */
export function guardScores(answer: string, unsure: number | null): Scores | null {
  const said = fromJson(answer) ?? fromLines(answer);
  if (said === null) return null;
  const scores = noScores();
  const score = Math.min(surest, Math.max(leastSure, unsure ?? usuallySure));
  for (const hazard of said)
    for (const category of hazards[hazard] ?? []) scores[categories.indexOf(category)] = score;
  return scores;
}

/** The hazards; empty: it is safe; `null`: that is no verdict. */
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
    // Not JSON, for all that it begins like it: no verdict.
    return null;
  }
  const { safe, categories: named } = value as { readonly safe?: unknown; readonly categories?: unknown };
  if (safe === true) return [];
  if (safe !== false) return null;
  return hazardsIn(Array.isArray(named) ? named.join(",") : "");
}

function hazardsIn(text: string): readonly string[] | null {
  const named = (text.match(/\bS\d{1,2}\b/gi) ?? []).map((name) => name.toUpperCase());
  // Unsafe, and nothing that we know: that it found nothing would be the wrong thing to say.
  return named.some((name) => hazards[name] !== undefined) ? named : null;
}
