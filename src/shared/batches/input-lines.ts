/**
 * Where do the lines of a batch's file begin and end? Read as the bytes arrive: at most one line and one chunk are in memory. Empty lines
 * are counted and skipped; a byte order mark is not part of the first line.
 */
import { concatBytes } from "../stream/concat-bytes.ts";

export interface FoundLine {
  /** From 1, empty ones counted. */
  readonly number: number;
  /** In the file. */
  readonly at: number;
  readonly length: number;
  /** `null`: longer than is allowed. */
  readonly bytes: Uint8Array | null;
}

const newline = 10;
const blanks: ReadonlySet<number> = new Set([9, 13, 32]);
const mark = [0xef, 0xbb, 0xbf] as const;

/** @param maxBytes of one line, without its end */
export async function* inputLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<FoundLine> {
  let held: Uint8Array[] = [];
  /** Of the line that is being read, whether it is held or not. */
  let length = 0;
  let at = 0;
  let number = 1;
  const take = (piece: Uint8Array): void => {
    length += piece.byteLength;
    // What is too long is counted, and not held.
    if (length > maxBytes) held = [];
    // A copy: the memory of a read may be used again.
    else held.push(piece.slice());
  };
  const ended = (): FoundLine | null => {
    const bytes = length > maxBytes ? null : concatBytes(held, length);
    const isMarked = number === 1 && bytes !== null && mark.every((byte, place) => bytes[place] === byte);
    const skipped = isMarked ? mark.length : 0;
    const line = {
      number,
      at: at + skipped,
      length: length - skipped,
      bytes: bytes?.subarray(skipped) ?? null,
    };
    held = [];
    at += length + 1;
    length = 0;
    number += 1;
    return line.bytes?.every((byte) => blanks.has(byte)) === true ? null : line;
  };
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const line = ended();
      if (line !== null) yield line;
    }
    take(chunk.subarray(from));
  }
  const last = length === 0 ? null : ended();
  if (last !== null) yield last;
}
