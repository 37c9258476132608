import { isDigit, isGroupSeparator, more, none } from "./outcome.ts";

/**
 * Does a payment card's number begin at this digit? 12 to 19 digits in one piece or in groups with one kind of separator,
 * of an issuer's range and length (ISO/IEC 7812), whose check digit is right (Luhn). The longest such number wins, so that
 * no digit is left over. Reads at most 37 characters and one more.
 */
const mostDigits = 19;
const digits = new Uint8Array(mostDigits);

export function matchCard(text: string, at: number, length: number, final: boolean): number {
  let count = 0;
  let group = 0;
  let separator = 0;
  let found = none;
  for (let index = at; ; index += 1) {
    if (index === length && !final) return more;
    const code = index < length ? text.charCodeAt(index) : 0;
    if (isDigit(code)) {
      // A group that continues beyond the longest number is not a card's.
      if (count === mostDigits) return found;
      digits[count] = code - 0x30;
      count += 1;
      group += 1;
      if (count === 2 && !begins(prefix(2))) return none;
      continue;
    }
    if (isCard(count)) found = index;
    if (!isGroupSeparator(code) || (separator !== 0 && code !== separator)) return found;
    // Cards are printed in groups of three to six (4-4-4-4, 4-6-5); anything else is a list of numbers.
    if (group < 3 || group > 6 || count === mostDigits) return found;
    separator = code;
    group = 0;
    if (index + 1 === length && !final) return more;
    if (index + 1 >= length || !isDigit(text.charCodeAt(index + 1))) return found;
  }
}

/** The same for a number after the dash at `at`, which is its sign. */
export function matchSignedCard(text: string, at: number, length: number, final: boolean): number {
  if (at + 1 === length) return final ? none : more;
  return isDigit(text.charCodeAt(at + 1)) ? matchCard(text, at + 1, length, final) : none;
}

function prefix(places: number): number {
  let value = 0;
  for (let index = 0; index < places; index += 1) value = value * 10 + (digits[index] ?? 0);
  return value;
}

/** Whether any issuer's numbers begin with these two digits. This rules out most numbers in a text. */
function begins(two: number): boolean {
  if (two >= 34 && two <= 69) return true;
  return two === 18 || two === 30 || two === 81 || two === 82 || (two >= 21 && two <= 27);
}

function isCard(count: number): boolean {
  return count >= 12 && isIssued(count) && luhnHolds(count);
}

/** Issuers' ranges and lengths. */
function isIssued(count: number): boolean {
  const two = prefix(2);
  const three = prefix(3);
  const four = prefix(4);
  if (two >= 40 && two <= 49) return count === 13 || count === 16 || count === 19;
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return count === 16;
  if (two === 34 || two === 37) return count === 15;
  if (two === 36) return count >= 14;
  if (two === 38 || two === 39 || (three >= 300 && three <= 305) || four === 3095)
    return count === 14 || count === 16;
  // JCB's own range is 3528 to 3589; made-up numbers are seen all over 35.
  if (two === 35) return count >= 16;
  if (four === 2131 || four === 1800) return count === 15;
  if (four >= 2200 && four <= 2204) return count >= 16;
  if (four === 6011 || (three >= 644 && three <= 649) || two === 65) return count >= 16;
  if (two === 62 || two === 81) return count >= 16;
  if (two === 60 || two === 82) return count === 16;
  // Only Maestro has short numbers.
  if (two === 50 || (two >= 56 && two <= 58) || two === 63 || two === 67) return true;
  return false;
}

function luhnHolds(count: number): boolean {
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    const digit = digits[count - 1 - index] ?? 0;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
