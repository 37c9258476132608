/** Where does the guard's scan stand? A word begins only outside of one, and a card's number not behind a decimal point. */
import { classOf, digitClass, isWordClass } from "./character-classes.ts";

export const outside = 0;
const insideWord = 1;
/** A word whose last character is a digit. */
export const insideDigits = 2;
export const behindDecimalPoint = 3;
export type ScanPlace = typeof outside | typeof insideWord | typeof insideDigits | typeof behindDecimalPoint;

/** By the character before `at` alone: that a point stands in a number only the scan knows. */
export function placeBehind(text: string, at: number): ScanPlace {
  const kind = classOf(text.charCodeAt(at - 1));
  if (kind === digitClass) return insideDigits;
  return isWordClass(kind) ? insideWord : outside;
}
