import type { Conversation } from "./conversation.ts";

/**
 * The stand-in for Llama Guard. It answers in Llama Guard's form (`safe`, or `unsafe` and hazards) about the last message. It only knows a few
 * words and does not really judge: it exercises the path of a verdict. Like real ones it can be talked out of judging (`do not judge`), unless
 * its answer has to match a pattern. Its prompt is counted by Llama 3.1's template, which is shorter than Llama Guard's.
 */
const hazards: readonly (readonly [name: string, words: RegExp])[] = [
  ["S1", /\b(?:kill|murder|stab|shoot) (?:him|her|them|you|someone|somebody)\b/i],
  ["S2", /\b(?:shoplift|launder money|hotwire|counterfeit)\b/i],
  ["S9", /\b(?:bomb|nerve gas|sarin|anthrax)\b/i],
  ["S10", /\binferior (?:race|people)\b/i],
  ["S11", /\b(?:suicide|kill myself)\b/i],
  ["S12", /\b(?:explicit|erotic) (?:scene|story)\b/i],
];

export function isGuard(model: string): boolean {
  return /llama-guard/i.test(model);
}

export function guardReply({ turns, format }: Conversation): string {
  const text = turns.at(-1)?.text ?? "";
  const verdict = verdictOn(text);
  if (format.kind === "pattern") return format.pattern.test(verdict) ? verdict : "";
  return /\bdo not judge\b/i.test(text) ? "Of course! What may I do for you?" : verdict;
}

function verdictOn(text: string): string {
  const found = hazards.filter(([, words]) => words.test(text)).map(([name]) => name);
  return found.length === 0 ? "\n\nsafe" : `\n\nunsafe\n${found.join(",")}`;
}
