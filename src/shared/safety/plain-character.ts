/**
 * As which ASCII character does a reader see this one in a number or an address? Digits of all scripts are digits, the wide forms of Chinese
 * and Japanese typing are their ASCII characters, and invisible characters don't exist.
 */

/** Invisible: soft hyphens, zero-width and bidirectional characters, variation selectors. */
export const unseen = -1;
/** It means itself. */
export const asIs = -2;

/** Where the ten digits of a script begin: Arabic (two), N'Ko, those of India, Thai, Lao, Tibetan, Burmese (two), Khmer, Mongolian, wide. */
const zeros = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
  0x1040, 0x1090, 0x17e0, 0x1810, 0xff10,
];
/** Mathematical digits (bold and others), in five alphabets. */
const mathematicalZero = 0x1d7ce;
const mathematicalEnd = 0x1d7ff;

/** Whether any character of the text may read as another one. Tested for every piece of an answer. */
export const readsOtherwise =
  /[\u00ad\u061c\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u0d6f\u0e50-\u0e59\u0ed0-\u0ed9\u0f20-\u0f29\u1040-\u1049\u1090-\u1099\u115f\u1160\u17e0-\u17e9\u180e-\u1819\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uff0b-\uff5a\uffa0\ud835\udb40]|\u034f|\u20e3|[\u180b-\u180d]|[\ufe00-\ufe0f]/;

const unseenCharacter =
  /^(?:[\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]|\u034f|\u20e3|[\u180b-\u180d\u180f]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e01ef}])$/u;

/** The wide forms that occur in numbers, addresses and keys. A wide comma belongs to prose. */
const wide = /^[\uff0b\uff0d\uff0e\uff10-\uff19\uff20-\uff3a\uff3f\uff41-\uff5a]$/;
const wideOffset = 0xfee0;

/** Of each UTF-16 unit that was asked for, so that a text in another script costs a look-up a character. 0: not asked for yet. */
const remembered = new Int8Array(0x10000);

/** A code of ASCII, `unseen` or `asIs`. @param codePoint one that `readsOtherwise` is about, or any other */
export function plainCharacter(codePoint: number): number {
  if (codePoint >= remembered.length) return plainOf(codePoint);
  return (remembered[codePoint] ||= plainOf(codePoint));
}

function plainOf(codePoint: number): number {
  if (codePoint >= mathematicalZero && codePoint <= mathematicalEnd)
    return 0x30 + ((codePoint - mathematicalZero) % 10);
  const zero = zeros.find((first) => codePoint >= first && codePoint < first + 10);
  if (zero !== undefined) return 0x30 + codePoint - zero;
  const character = String.fromCodePoint(codePoint);
  if (wide.test(character)) return codePoint - wideOffset;
  return unseenCharacter.test(character) ? unseen : asIs;
}
