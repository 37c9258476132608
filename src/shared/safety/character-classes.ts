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
  return code >= 0xc0 && code < 0x250 && code !== 0xd7 && code !== 0xf7 ? latinClass : otherClass;
}

/** Letters and digits: what makes a word. */
export function isWordClass(kind: number): boolean {
  return kind >= letterClass && kind <= latinClass;
}
