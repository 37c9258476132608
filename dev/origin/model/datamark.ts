/** Removes the signs from a text with marked words (src/shared/safety/datamark.ts). The rule in the prompt names the sign and asks to ignore it. */
const rule = /\bA (\S) stands behind each word there: /u;

/** @param told the text that contains the rule, if there is one */
export function withoutMarks(text: string, told: string): string {
  const sign = rule.exec(told)?.[1];
  return sign === undefined ? text : text.replaceAll(sign, "");
}
