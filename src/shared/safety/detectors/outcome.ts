/**
 * A detector is asked whether something begins at `at`. It answers with the end (exclusive) of what it found, with
 * `none`, or, unless `final`, with `more`: the characters at hand do not decide it. It must answer `more` exactly where
 * its decision would read beyond `length`; then the verdict can't depend on how a stream was cut.
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

export const space = 0x20;
export const hyphen = 0x2d;
