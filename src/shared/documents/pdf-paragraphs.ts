/**
 * Which lines of a PDF's page are one paragraph? A PDF has neither lines nor paragraphs, only pieces of text at places. Lines that follow
 * each other at the usual distance, in one size, are one: sentences are then whole, and are cut where sentences end.
 */
import { documentBounds } from "./document-bounds.ts";
import type { DocumentText } from "./document-text.ts";
import { Unreadable } from "./unreadable.ts";

/** A piece of text as PDF.js gives it (`TextItem`), of which this is what counts. */
export interface PdfPiece {
  readonly str: string;
  /** Behind it the line ends. */
  readonly hasEOL: boolean;
  readonly height: number;
  /** A matrix; the last two are x and y, y growing upwards. */
  readonly transform: readonly number[];
}

interface Line {
  readonly text: string;
  readonly height: number;
  readonly y: number;
}

/** Between lines of a paragraph there is at most so much, in heights of a letter. */
const mostGap = 1.8;
/** Sizes that differ by less are one. */
const sameSize = 0.12;
const bullet = /^(?:[•‣▪●○◦–—*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s/u;
const chineseOrJapanese = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;

/** Takes one page's pieces, in any number of portions, and writes its paragraphs. */
export class PdfParagraphs {
  readonly #text: DocumentText;
  /** Of all its lines. */
  #units = 0;
  #pieces: string[] = [];
  #height = 0;
  #y = 0;
  /** The line before, as far as it is not written: a word that it cuts may go on. */
  #before: Line | null = null;

  constructor(text: DocumentText) {
    this.#text = text;
  }

  add({ str, hasEOL, height, transform }: PdfPiece): void {
    if (str.trim() !== "") {
      // The largest letters are the line's: a footnote's mark is small and stands higher.
      if (height >= this.#height) {
        this.#height = height;
        this.#y = transform[5] ?? 0;
      }
    }
    this.#units += str.length;
    // A line that never ends is nowhere else counted before its end.
    if (this.#units > documentBounds.textBytes) throw new Unreadable("too-much-text");
    if (str !== "") this.#pieces.push(str);
    if (hasEOL) this.#endLine();
  }

  endPage(): void {
    this.#endLine();
    if (this.#before !== null) this.#text.add(this.#before.text);
    this.#before = null;
    this.#text.endParagraph();
  }

  #endLine(): void {
    const text = this.#pieces.join("").trim();
    const line = { text, height: this.#height, y: this.#y };
    this.#pieces = [];
    this.#height = 0;
    if (text === "") return;
    const before = this.#before;
    this.#before = line;
    if (before === null) return;
    if (!goesOn(before, line)) {
      this.#text.add(before.text);
      this.#text.endParagraph();
    } else if (bullet.test(text)) {
      this.#text.add(before.text);
      this.#text.endLine();
    } else this.#text.add(joined(before.text, text));
  }
}

function goesOn(before: Line, line: Line): boolean {
  const size = Math.max(before.height, line.height);
  // A file without sizes tells nothing: its lines stay together.
  if (size === 0) return true;
  if (Math.abs(before.height - line.height) > size * sameSize) return false;
  const gap = before.y - line.y;
  // Upwards: another column. Beside it: a table's cell, or a line that was written in two.
  return gap > -size / 2 && gap <= size * mostGap;
}

/** The line before, with what stands between it and the next: nothing behind a word that it cuts. */
function joined(before: string, next: string): string {
  if (before.endsWith("\u00ad") || (/\p{Ll}[-\u2010]$/u.test(before) && /^\p{Ll}/u.test(next)))
    return before.slice(0, -1);
  const isTight = chineseOrJapanese.test(before.at(-1) ?? "") && chineseOrJapanese.test(next[0] ?? "");
  return isTight ? before : `${before} `;
}
