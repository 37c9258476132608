/** Which class does a UTF-16 unit have in the guard's scan? This alone decides most text. */
export const otherClass = 0;
export const letterClass = 1;
export const digitClass = 2;
/** Letters of Latin scripts beyond ASCII: they continue a word and an address's local part, and begin nothing. */
const latinClass = 3;
export const hyphenClass = 4;
/** What an e-mail address may contain before its `@` besides letters, digits and dashes. */
const localClass = 5;
export const atClass = 6;

const asciiClasses = Uint8Array.from({ length: 128 }, (_, code) => {
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) return letterClass;
  if (code >= 0x30 && code <= 0x39) return digitClass;
  if (code === 0x2d) return hyphenClass;
  if (code === 0x40) return atClass;
  return "._%+'&~".includes(String.fromCharCode(code)) ? localClass : otherClass;
});

export function classOf(code: number): number {
  if (code < 0x80) return asciiClasses[code] ?? otherClass;
  if (code < 0x250) return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 ? latinClass : otherClass;
  if (code < 0xe00) return isForeignSign(code) ? otherClass : localClass;
  return isLetterBeyond(code) ? localClass : otherClass;
}

/** Georgian, and the accented letters of Vietnamese and ancient Greek. Scripts beyond Sinhala may have no blanks between words. */
function isLetterBeyond(code: number): boolean {
  return (code >= 0x10a0 && code < 0x1100) || (code >= 0x1e00 && code < 0x2000);
}

/**
 * Punctuation that separates words in the scripts from Greek to Sinhala. The letters of these scripts continue a local part, but are no word: a
 * number may begin right after one. The same holds for combining marks (0x300 to 0x36f), as file names and some keyboards write them.
 */
function isForeignSign(code: number): boolean {
  if (code < 0x370) return code >= 0x2b9 && code < 0x300;
  if (code < 0x5d0)
    return code === 0x37e || code === 0x387 || code === 0x589 || code === 0x58a || code >= 0x5be;
  if (code < 0x700)
    return (
      code === 0x5f3 ||
      code === 0x5f4 ||
      (code >= 0x600 && code < 0x620) ||
      code === 0x66a ||
      code === 0x66d ||
      code === 0x6d4
    );
  return code === 0x964 || code === 0x965 || code === 0x970;
}

/** Letters and digits, which words consist of. */
export function isWordClass(kind: number): boolean {
  return kind >= letterClass && kind <= latinClass;
}
