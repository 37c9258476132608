import type { Conversation } from "./conversation.ts";

/**
 * What does the stand-in for Llama Guard say? Llama Guard's own form (`safe`, or `unsafe` and hazards) about the last message. It knows a
 * handful of words and judges nothing: it shows the way that a verdict takes. Its prompt is counted by Llama 3.1's template, which is
 * shorter than Llama Guard's.
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

export function guardReply({ turns }: Conversation): string {
  const text = turns.at(-1)?.text ?? "";
  const found = hazards.filter(([, words]) => words.test(text)).map(([name]) => name);
  return found.length === 0 ? "\n\nsafe" : `\n\nunsafe\n${found.join(",")}`;
}
