/**
 * The text of a document as it grows: lines, paragraphs, headings, and where its pages begin. Its bounds are enforced as it grows, not at
 * the end.
 */
import type { ExtractedText } from "../retrieval/extract-text.ts";
import type { TextKind } from "../retrieval/text-atoms.ts";
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";

/** What no text holds (white space it does: a line end between two words parts them), and what is no character at all. */
const noText = /[\u0000-\u0008\u000e-\u001f\u007f\ufeff\ufffe\uffff]/g;

export class DocumentText {
  readonly #kind: TextKind;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #lines: string[] = [];
  /** UTF-16 units of the lines, a line end behind each. */
  #length = 0;
  #line: string[] = [];
  readonly #pageStarts: number[] = [];

  constructor(kind: TextKind, maxBytes: number = documentBounds.textBytes) {
    this.#kind = kind;
    this.#maxBytes = maxBytes;
  }

  /** On the line that grows. Line ends in it are blanks. */
  add(text: string): void {
    this.#bytes += utf8Bytes(text);
    if (this.#bytes > this.#maxBytes) throw new Unreadable("too-much-text");
    this.#line.push(text);
  }

  /** Empty lines are dropped. @param prefix stands before a line that is not empty */
  endLine(prefix = ""): void {
    if (this.#line.length === 0) return;
    const words = this.#line
      .join("")
      .toWellFormed()
      .replace(noText, "")
      .replace(/[\s\u00a0]+/gu, " ")
      .trim();
    this.#line = [];
    // A table's row of empty cells says no more than an empty line.
    if (/^[|\s]*$/.test(words)) return;
    // A table's column `#` would be a heading.
    const isMark = this.#kind === "markdown" && prefix === "" && /^(?:#{1,6} |```|~~~)/.test(words);
    this.#push(isMark ? `\\${words}` : prefix + words);
  }

  /** What comes next is another paragraph. */
  endParagraph(prefix = ""): void {
    this.endLine(prefix);
    this.separate();
  }

  /** The line that grows, if one does, begins another paragraph. */
  separate(): void {
    if (this.#lines.length > 0 && this.#lines.at(-1) !== "") this.#push("");
  }

  /** What comes next stands on the next page. */
  beginPage(): void {
    this.endParagraph();
    if (this.#pageStarts.length === documentBounds.pages) throw new Unreadable("too-many-pages");
    this.#pageStarts.push(this.#length);
  }

  /** Throws where nothing was said. */
  end(): ExtractedText {
    this.endLine();
    const text = this.#lines.join("\n").trimEnd();
    if (text === "") throw new Unreadable("no-text");
    return {
      text,
      kind: this.#kind,
      ...(this.#pageStarts.length === 0
        ? {}
        : { pageStarts: this.#pageStarts.map((start) => Math.min(start, text.length)) }),
    };
  }

  #push(line: string): void {
    this.#lines.push(line);
    this.#length += line.length + 1;
    // Line ends and prefixes are ours, and there may be as many as there are letters.
    this.#bytes += 1;
    if (this.#bytes > this.#maxBytes) throw new Unreadable("too-much-text");
  }
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Each half of a pair is two of its four bytes.
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
