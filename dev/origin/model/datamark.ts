/** What does a text say whose words are marked (src/shared/safety/datamark.ts)? The rule that came with it names the sign, and asks to leave it out. */
const rule = /\bA (\S) stands behind each word there: /u;

/** @param told where the rule stands, if it came */
export function withoutMarks(text: string, told: string): string {
  const sign = rule.exec(told)?.[1];
  return sign === undefined ? text : text.replaceAll(sign, "");
}
