/** Crockford's base 32 in lower case: no i, l, o, u, so that an id read aloud or copied by hand stays itself. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The first `length` characters (5 bits each) of `bytes`. Throws where the bytes do not suffice. */
export function base32(bytes: Uint8Array, length: number): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += alphabet.charAt((value >>> bits) & 31);
    }
    if (text.length === length) return text;
  }
  throw new RangeError("too few bytes for that many characters");
}

/** A whole number as `length` characters, most significant first. Throws where it does not fit. */
export function base32Number(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let at = 0; at < length; at += 1) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  if (rest !== 0 || !Number.isSafeInteger(value) || value < 0)
    throw new RangeError("the number does not fit");
  return text;
}

/** The number that `base32Number` wrote; `null` for any other text. */
export function parseBase32Number(text: string): number | null {
  let value = 0;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    if (digit === -1) return null;
    value = value * 32 + digit;
  }
  return Number.isSafeInteger(value) ? value : null;
}
