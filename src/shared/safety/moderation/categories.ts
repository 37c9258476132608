/** OpenAI's thirteen categories of harm, in its order, and a score for each. https://platform.openai.com/docs/guides/moderation */
export const categories = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/intent",
  "self-harm/instructions",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;
export type Category = (typeof categories)[number];

/** Each 0 to 1, in the order of `categories`. */
export type Scores = readonly number[];

export function noScores(): number[] {
  return categories.map(() => 0);
}

/** Raises each score to that of `other` if it is higher. */
export function raise(scores: number[], other: Scores): void {
  for (let at = 0; at < scores.length; at += 1) scores[at] = Math.max(scores[at] ?? 0, other[at] ?? 0);
}
