/**
 * Which texts are encoded inside a text? Base64 (also of URLs), hexadecimal, ROT13, and the whole text backwards. Decoding is
 * bounded, and only readable text counts, which pictures, hashes and keys are not.
 */
import { hashWord } from "./word-hash.ts";

export interface HiddenText {
  readonly text: string;
  /** Its range in the outer text. */
  readonly start: number;
  readonly end: number;
  /** Maps a place in it to one in the outer text; `null`: only the whole has a place. */
  readonly placeOf: ((at: number) => number) | null;
}

/** The most that is decoded of one text. More is ignored: a hidden attack has to be read, and a model doesn't decode a book. */
const mostDecodedCharacters = 32_768;
const mostBlobs = 64;
const fewestDecodedCharacters = 12;
const hexPattern = /^(?:[0-9a-f]{2})+$/i;
/** Pieces of sixteen characters or more, separated by blanks or line ends (as encoders wrap them), and a shorter last one. */
const blobPattern =
  /[A-Za-z0-9+/_-]{16,}(?:\s{1,8}[A-Za-z0-9+/_-]{16,})*(?:\s{1,8}[A-Za-z0-9+/_-]{2,15}(?![A-Za-z0-9+/_-]))?={0,2}/g;
/** Applies to a single piece. */
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
 * Tries the pieces joined, without the last one (which may be a word that follows) and with it; if neither gives text, each piece by
 * itself. If several begin at the same place, strip.ts takes out the first.
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
  // A single character beyond whole bytes carries no byte.
  const whole = cut.length % 4 === 1 ? cut.slice(0, -1) : cut;
  return readable(Uint8Array.from(atob(whole), (character) => character.charCodeAt(0)));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Sentence-like text: mostly letters and blanks, and no control characters. */
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
    // Not UTF-8, so not text that a model would read.
    return null;
  }
}

/** Words that every attack needs, as they look in ROT13 and backwards. */
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

/** The transformations already undone, as bits. Each is its own inverse, and their order does not matter. */
export type Turns = number;
export const notTurned: Turns = 0;
const byRot13 = 1;
const byBackwards = 2;

export interface TurnedText extends HiddenText {
  readonly turns: Turns;
}

/**
 * The whole text in ROT13 or backwards, if that turns it into words.
 *
 * @param turns what was already done to it, so that nothing is judged twice
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
  // For both together, the text after the first is examined for the second.
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
