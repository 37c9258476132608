/** Is this file text, and in which encoding? Nothing is guessed: bytes that do not decode are a reason, never replacement characters. */
import { err, ok, type Result } from "../contracts/result.ts";

/** Why a file can't be read, as `last_error` of OpenAI's vector store files names it. The message holds nothing of the file. */
export interface FileReason {
  /** Such files are not read here, or this one is broken. */
  readonly code: "unsupported_file" | "invalid_file";
  readonly message: string;
}

/** The first bytes of files that are often uploaded and are not text. */
const signatures: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["PDF", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["ZIP (as DOCX, XLSX, PPTX and EPUB are)", [0x50, 0x4b, 0x03, 0x04]],
  ["old Office", [0xd0, 0xcf, 0x11, 0xe0]],
  ["RTF", [0x7b, 0x5c, 0x72, 0x74, 0x66]],
  ["gzip", [0x1f, 0x8b]],
  ["PNG", [0x89, 0x50, 0x4e, 0x47]],
  ["JPEG", [0xff, 0xd8, 0xff]],
  ["GIF", [0x47, 0x49, 0x46, 0x38]],
  ["SQLite", [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66]],
  ["PostScript", [0x25, 0x21, 0x50, 0x53]],
];

/** The kinds of files that are. */
export function searchable(readsDocuments: boolean): string {
  return readsDocuments
    ? "PDF, DOCX, PPTX, XLSX, text, Markdown, HTML, JSON, CSV and code"
    : "text, Markdown, HTML, JSON, CSV and code";
}

/**
 * @param charset as the media type names it; a byte order mark is believed first. Absent: UTF-8.
 * @param declared as the file itself names it, of one that is no UTF-8: many that are were made from files that were not, and name the set of those
 */
export function decodeText(
  bytes: Uint8Array,
  charset: string | null,
  readsDocuments = false,
  declared: string | null = null,
): Result<string, FileReason> {
  const kind = signatures.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte));
  if (kind !== undefined)
    return err({
      code: "unsupported_file",
      message: `Files of the kind ${kind[0]} can't be read; ${searchable(readsDocuments)} can.`,
    });
  const named = markedEncoding(bytes) ?? charset;
  const decoder = decoderOf(named ?? (declared !== null && hidesIn7Bits.has(declared) ? declared : "utf-8"));
  if (decoder === null)
    return err({
      code: "unsupported_file",
      message: "The character set that the file's media type names is not known.",
    });
  const own = named === null && declared !== null ? decoderOf(declared) : null;
  const text = decoded(decoder, bytes) ?? (own === null ? null : decoded(own, bytes));
  if (text === null)
    return err({
      code: "invalid_file",
      message: `The file is not ${decoder.encoding.toUpperCase()} text. Save it as UTF-8, or name its character set.`,
    });
  return text.includes("\u0000")
    ? err({
        code: "invalid_file",
        message:
          "The file holds NUL characters, which text does not, unless it is UTF-16 without its mark. Save it as UTF-8.",
      })
    : ok(text);
}

/** Their bytes are all ASCII's, and so UTF-8's as well. */
const hidesIn7Bits = new Set(["iso-2022-jp"]);

/** `null`: there is no such character set. */
function decoderOf(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: false });
  } catch {
    return null;
  }
}

/** `null`: the bytes are not text of that character set. */
function decoded(decoder: TextDecoder, bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function markedEncoding([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : null;
}
