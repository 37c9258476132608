import { hyphen, more, none } from "./outcome.ts";

/**
 * Does a private key in PEM or PGP armour begin at this dash, and where does it end? The header alone suffices. Everything up
 * to the closing line belongs to the key, whatever it looks like; a key that is never closed ends after 8,192 characters
 * (an RSA key of 8,192 bits has 6,400).
 */
const opening = "-----BEGIN ";
const header = /^-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----/;
const headerSoFar = /^-----BEGIN [A-Z0-9 ]{0,37}-{0,5}$/;
const mostHeaderCharacters = 60;
const mostKeyCharacters = 8_192;

export function matchPrivateKey(text: string, at: number, length: number, final: boolean): number {
  // Rules out a dash in prose.
  if (at + 1 < length && text.charCodeAt(at + 1) !== hyphen) return none;
  // Rules out a line of dashes, except its last five.
  if (at + 5 < length && text.charCodeAt(at + 5) !== 0x42) return none;
  const piece = text.slice(at, Math.min(length, at + mostHeaderCharacters));
  const found = header.exec(piece);
  if (found !== null) return at + found[0].length;
  if (final || piece.length === mostHeaderCharacters) return none;
  return opening.startsWith(piece) || headerSoFar.test(piece) ? more : none;
}

/** Reads the text after the header, character by character, until the key is closed. */
export class PrivateKeyEnd {
  #dashes = 0;
  /** How many letters of `END` have followed five dashes. */
  #letters = 0;
  #seen = 0;
  closed = false;

  /** The index after the key's last character, or `length` if it continues; `closed` says which. */
  read(text: string, from: number, length: number): number {
    for (let index = from; index < length; index += 1) {
      this.#seen += 1;
      if (this.#step(text.charCodeAt(index)) || this.#seen >= mostKeyCharacters) {
        this.closed = true;
        return index + 1;
      }
    }
    return length;
  }

  #step(code: number): boolean {
    if (code === hyphen) {
      if (this.#letters !== 3 && this.#letters !== 0) this.#letters = 0;
      this.#dashes += 1;
      return this.#letters === 3 && this.#dashes >= 5;
    }
    if (this.#letters === 3) {
      this.#dashes = 0;
      return false;
    }
    const follows = code === "END".charCodeAt(this.#letters) && (this.#letters > 0 || this.#dashes >= 5);
    this.#letters = follows ? this.#letters + 1 : 0;
    this.#dashes = 0;
    return false;
  }
}
