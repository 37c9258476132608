/**
 * Do a PDF's packed streams unpack to more than there is room for? PDF.js keeps all of a stream's unpacked bytes: a page of a megabyte can
 * be a gigabyte of blanks. So each stream that PDF.js would unpack is first unpacked here up to a bound.
 *
 * Streams with another compression, or inside another filter, are not seen here; they are bounded while they are unpacked
 * (workers/document-reader/pdf-meter.ts).
 */
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";
import type { Inflate } from "./zip-archive.ts";

/** A stream's dictionary stands right before it. */
const dictionaryBytes = 512;
/** The cost assumed for a stream that breaks off, since how far it got is unknown. */
const brokenBytes = 4 * 1_048_576;

/** @param seen called with what streams unpack to, and whether it is of objects. @throws Unreadable */
export function checkPdfStreams(
  bytes: Uint8Array,
  { inflateRaw }: Pick<Inflate, "inflateRaw">,
  seen?: (unpacked: Uint8Array, areObjects: boolean) => void,
): void {
  const latin = new TextDecoder("latin1");
  let total = 0;
  let streams = 0;
  // Looked for once for all the streams before it, or a file of nothing but beginnings took quadratic time.
  let end = 0;
  for (let at = find(bytes, streamMark, 0); at !== -1; at = find(bytes, streamMark, at + 1)) {
    const from = behindLineEnd(bytes, at + streamMark.length);
    // `endstream`, or a word of a text.
    if (from === -1) continue;
    streams += 1;
    if (streams > documentBounds.pdfStreams) throw new Unreadable("too-much-inside");
    const before = latin.decode(bytes.subarray(Math.max(0, at - dictionaryBytes), at));
    const dictionary = before.slice(before.lastIndexOf(" obj") + 1);
    // Pictures are not looked at.
    if (!/\/Fl(?:ateDecode)?\b/.test(dictionary) || /\/Subtype\s*\/Image\b/.test(dictionary)) continue;
    // A stream that is packed twice has no other reason than this.
    if (/\/Fl(?:ateDecode)?\b[^>]*\/Fl(?:ateDecode)?\b/.test(dictionary))
      throw new Unreadable("too-much-inside");
    if (end < from) end = find(bytes, endMark, from);
    if (end === -1) end = bytes.byteLength;
    const packed = bytes.subarray(from, end);
    // PDF.js refuses it, too (RFC 1950, 2.2).
    if (!hasZlibHeader(packed)) continue;
    const most = Math.min(documentBounds.pdfStreamBytes, documentBounds.zipBytes - total);
    const unpacked = inflateRaw(packed.subarray(2), most);
    if (unpacked === "longer") throw new Unreadable("too-much-inside");
    if (unpacked !== "broken") seen?.(unpacked, /\/Type\s*\/ObjStm\b/.test(dictionary));
    total += unpacked === "broken" ? brokenBytes : unpacked.byteLength;
    if (total > documentBounds.zipBytes) throw new Unreadable("too-much-inside");
  }
}

function hasZlibHeader([method = 0, flags = 0]: Uint8Array): boolean {
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}

const streamMark = marked("stream");
const endMark = marked("endstream");

function marked(word: string): Uint8Array {
  return new TextEncoder().encode(word);
}

/** A stream's bytes begin behind a line's end; -1: none follows. */
function behindLineEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x0a) return at + 1;
  if (bytes[at] !== 0x0d) return -1;
  return bytes[at + 1] === 0x0a ? at + 2 : at + 1;
}

function find(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    let length = 1;
    while (length < mark.length && bytes[at + length] === mark[length]) length += 1;
    if (length === mark.length) return at;
  }
  return -1;
}
