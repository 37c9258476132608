/** Into which class does a UTF-16 unit fall for the guard's scan? Most text is settled by this alone. */
export const otherClass = 0;
export const letterClass = 1;
export const digitClass = 2;
/** Letters of Latin scripts beyond ASCII: they continue a word and a local part, and begin nothing. */
const latinClass = 3;
export const hyphenClass = 4;
/** What an e-mail address may hold before its `@` beside letters, digits and dashes. */
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

/** Georgian, and the letters of Vietnamese and of old Greek with their marks. Scripts beyond Sinhala may have no blanks between words. */
function isLetterBeyond(code: number): boolean {
  return (code >= 0x10a0 && code < 0x1100) || (code >= 0x1e00 && code < 0x2000);
}

/**
 * Signs of the scripts from Greek to Sinhala that divide words; their letters continue a local part, and so make no word behind which no number
 * begins. So do the marks behind a letter that is written in two (0x300 to 0x36f), as file names and some keyboards have them.
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

/** Letters and digits: what makes a word. */
export function isWordClass(kind: number): boolean {
  return kind >= letterClass && kind <= latinClass;
}
