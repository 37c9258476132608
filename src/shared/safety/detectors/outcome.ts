/**
 * A detector decides whether something begins at `at`. It returns the end (exclusive) of what it found, or `none`, or,
 * unless `final`, `more`: the available characters do not decide it. It must return `more` exactly where its decision
 * would read beyond `length`; so the verdict can't depend on how a stream was cut.
 */
export const none = -1;
export const more = -2;

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isAsciiLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

export const hyphen = 0x2d;
const space = 0x20;
const noBreakSpace = 0xa0;

/**
 * A blank or a dash between the groups of a number, also in the forms that prevent a line break (U+2007, U+2009,
 * U+202F, U+3000; U+2010 to U+2015, U+2212). A line end is not one: numbers below each other are a list.
 */
export function isGroupSeparator(code: number): boolean {
  if (code < 0x80) return code === space || code === hyphen;
  if (code < 0x2000) return code === noBreakSpace;
  if (code <= 0x200a || code === 0x202f || code === 0x2212 || code === 0x3000) return true;
  return code >= 0x2010 && code <= 0x2015;
}
