/**
 * Which texts are encoded inside a text? Base64 (also of URLs), hexadecimal, ROT13, and the whole of it backwards. What is decoded is
 * bounded, and only what reads as text counts: pictures, hashes and keys are neither.
 */
import { hashWord } from "./word-hash.ts";

export interface HiddenText {
  readonly text: string;
  /** What of the outer text holds it. */
  readonly start: number;
  readonly end: number;
  /** Where a place in it lies in the outer text; `null`: only the whole has a place. */
  readonly placeOf: ((at: number) => number) | null;
}

/** Decoded in all, of one text. More is left alone: whoever hides an attack wants it read, and a model doesn't decode a book. */
const mostDecodedCharacters = 32_768;
const mostBlobs = 64;
const fewestDecodedCharacters = 12;
const hexPattern = /^(?:[0-9a-f]{2})+$/i;
/** Pieces of sixteen characters and more, apart by blanks and line ends (as programs that encode wrap them), and a shorter last one. */
const blobPattern =
  /[A-Za-z0-9+/_-]{16,}(?:\s{1,8}[A-Za-z0-9+/_-]{16,})*(?:\s{1,8}[A-Za-z0-9+/_-]{2,15}(?![A-Za-z0-9+/_-]))?={0,2}/g;
/** Of a piece by itself. */
const fewestOfPiece = 20;
/** Byte by byte: `49 67`, `49:67`, `0x49, 0x67`, `\x49\x67`. */
const bytesPattern =
  /(?:\\x|0x)?[0-9a-f]{2}(?:[\s,:]{1,3}(?:\\x|0x)?[0-9a-f]{2}){11,}|(?:\\x[0-9a-f]{2}){12,}/gi;

export function* blobTexts(text: string): Generator<HiddenText> {
  let left = mostDecodedCharacters;
  let blobs = 0;
  for (const { blob, start } of blobsOf(text)) {
    for (const { decoded, from, to } of decodedOf(blob, left)) {
      if (left <= 0 || blobs >= mostBlobs) return;
      blobs += 1;
      left -= decoded.length;
      yield { text: decoded, start: start + from, end: start + to, placeOf: null };
    }
  }
}

function* blobsOf(text: string): Generator<{ readonly blob: string; readonly start: number }> {
  for (const match of text.matchAll(blobPattern)) yield { blob: match[0], start: match.index };
  for (const match of text.matchAll(bytesPattern)) yield { blob: match[0], start: match.index };
}

interface Decoded {
  readonly decoded: string;
  /** Places in the blob. */
  readonly from: number;
  readonly to: number;
}

/**
 * Its pieces as one, without the last, which may be a word that follows, and with it; where neither is a text, each by itself. What is
 * taken out (strip.ts) is the first of what begins at a place.
 */
function decodedOf(blob: string, most: number): readonly Decoded[] {
  const pieces = [...blob.matchAll(/\S+/g)].map(({ 0: piece, index }) => ({ piece, from: index }));
  const last = pieces.at(-1)?.from ?? 0;
  const ends = last === 0 ? [blob.length] : [blob.slice(0, last).trimEnd().length, blob.length];
  const joined = ends.flatMap((to) => decodedIn(blob.slice(0, to), 0, most));
  if (joined.length > 0 || pieces.length < 2) return joined;
  return pieces.flatMap(({ piece, from }) => decodedIn(piece, from, most));
}

function decodedIn(piece: string, from: number, most: number): readonly Decoded[] {
  const decoded = decode(piece, most);
  return decoded === null ? [] : [{ decoded, from, to: from + piece.length }];
}

function decode(blob: string, most: number): string | null {
  const written = blob.replaceAll(/\\x|0x|[\s,:]/gi, "");
  if (written.length >= fewestOfPiece && hexPattern.test(written)) return fromHex(written, most);
  const plain = blob.replaceAll(/\s/g, "");
  return plain.length < fewestOfPiece || /[\\,:]/.test(plain) ? null : fromBase64(plain, most);
}

function fromHex(blob: string, most: number): string | null {
  const length = Math.min(blob.length, most * 2) & ~1;
  const bytes = Uint8Array.from({ length: length / 2 }, (_, at) =>
    Number.parseInt(blob.slice(2 * at, 2 * at + 2), 16),
  );
  return readable(bytes);
}

function fromBase64(blob: string, most: number): string | null {
  const plain = blob.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  const length = Math.min(plain.length, Math.ceil(most / 3) * 4) & ~3;
  const cut = plain.length <= length || plain.length - length < 4 ? plain : plain.slice(0, length);
  // One character more than whole bytes fill says nothing.
  const whole = cut.length % 4 === 1 ? cut.slice(0, -1) : cut;
  return readable(Uint8Array.from(atob(whole), (character) => character.charCodeAt(0)));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Most of it letters and blanks, and no control characters: as a sentence is. */
function readable(bytes: Uint8Array): string | null {
  if (bytes.length < fewestDecodedCharacters) return null;
  let plain = 0;
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return null;
    if (byte === 0x20 || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte >= 0x80)
      plain += 1;
  }
  if (plain < bytes.length * 0.8) return null;
  try {
    return decoder.decode(bytes);
  } catch {
    // No UTF-8, so no text that a model would read.
    return null;
  }
}

/** Words that no attack does without, as they look in ROT13 and backwards. */
const tellingWords = [
  "ignore",
  "disregard",
  "forget",
  "override",
  "instructions",
  "instruction",
  "previous",
  "system",
  "prompt",
  "reveal",
  "rules",
  "pretend",
  "unfiltered",
  "anweisungen",
  "vergiss",
  "ignoriere",
];
const tellingRot13 = new Set(tellingWords.map((word) => hashWord(rot13(word))));
const tellingBackwards = new Set(tellingWords.map((word) => hashWord(backwards(word))));
const fewestTellingWords = 2;

/** Which ways a text was turned on its way here: bits. Turned twice in one way it is what it was, and two ways come to the same in either order. */
export type Turns = number;
export const notTurned: Turns = 0;
const byRot13 = 1;
const byBackwards = 2;

export interface TurnedText extends HiddenText {
  readonly turns: Turns;
}

/**
 * The whole text in ROT13 or backwards, where that makes words of it.
 *
 * @param turns what was done to it already: nothing is judged twice
 */
export function* turnedTexts(text: string, hashes: ArrayLike<number>, turns: Turns): Generator<TurnedText> {
  let rotated = 0;
  let turned = 0;
  for (let at = 0; at < hashes.length; at += 1) {
    const hash = hashes[at] ?? 0;
    if (tellingRot13.has(hash)) rotated += 1;
    if (tellingBackwards.has(hash)) turned += 1;
  }
  const whole = { start: 0, end: text.length };
  let done = turns;
  if (rotated >= fewestTellingWords && (done & byRot13) === 0) {
    done |= byRot13;
    yield { ...whole, text: rot13(text), placeOf: (at) => at, turns: done };
  }
  // Of both, the first has been looked through for the second.
  if (turned >= fewestTellingWords && (done & byBackwards) === 0)
    yield { ...whole, text: backwards(text), placeOf: (at) => text.length - at, turns: done | byBackwards };
}

function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const code = letter.charCodeAt(0);
    const first = code & 0x20 ? 0x61 : 0x41;
    return String.fromCharCode(first + ((code - first + 13) % 26));
  });
}

function backwards(text: string): string {
  let turned = "";
  for (let at = text.length - 1; at >= 0; at -= 1) turned += text.charAt(at);
  return turned;
}
