/** In what kind of place is the guard's scan? A word begins only outside another, and a card's number not after a decimal point. */
import { classOf, digitClass, isWordClass } from "./character-classes.ts";

export const outside = 0;
const insideWord = 1;
/** Inside a word whose last character is a digit. */
export const insideDigits = 2;
export const behindDecimalPoint = 3;
export type ScanPlace = typeof outside | typeof insideWord | typeof insideDigits | typeof behindDecimalPoint;

/** By the character before `at` alone: only the scan itself knows whether a dot is within a number. */
export function placeBehind(text: string, at: number): ScanPlace {
  const kind = classOf(text.charCodeAt(at - 1));
  if (kind === digitClass) return insideDigits;
  return isWordClass(kind) ? insideWord : outside;
}
