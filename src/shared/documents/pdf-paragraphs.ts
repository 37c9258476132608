/**
 * Which lines of a PDF's page are one paragraph? A PDF has neither lines nor paragraphs, only pieces of text at places. Lines that follow
 * each other at the usual distance, in one size, are one: sentences are then whole, and are cut where sentences end.
 */
import { documentBounds } from "./document-bounds.ts";
import type { DocumentText } from "./document-text.ts";
import { inReadingOrder } from "./reading-order.ts";
import { Unreadable } from "./unreadable.ts";

/** A piece of text as PDF.js gives it (`TextItem`), of which this is what counts. */
export interface PdfPiece {
  readonly str: string;
  /** Behind it the line ends. */
  readonly hasEOL: boolean;
  readonly height: number;
  /** A matrix; the last two are x and y, y growing upwards. */
  readonly transform: readonly number[];
  /** `rtl`: of Hebrew, Arabic and the like. */
  readonly dir?: string;
}

/** As the document's outline has it. */
export interface PdfHeading {
  readonly title: string;
  /** 1 is the outermost. */
  readonly level: number;
}

interface Line {
  readonly text: string;
  readonly height: number;
  /** Of what is read from its side, as if the page were turned. */
  readonly y: number;
  readonly isTurned: boolean;
}

/** Between lines of a paragraph there is at most so much, in heights of a letter. */
const mostGap = 1.8;
/** Sizes that differ by less are one. */
const sameSize = 0.12;
/** Of a heading. */
const mostLines = 3;
/** Markdown has no more. */
const deepestHeading = 6;
const bullet = /^(?:[•‣▪●○◦–—*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s/u;
/** Letters as they are drawn (Arabic ones by their place in the word, two in one), for which fonts have numbers that nobody types. */
const drawn = /[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdff\ufe70-\ufefc]+/g;
const chineseOrJapanese = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;

/** Takes one page's pieces, in any number of portions, and writes its paragraphs. */
export class PdfParagraphs {
  readonly #text: DocumentText;
  /** Of all its lines. */
  #units = 0;
  #pieces: PdfPiece[] = [];
  #lines: Line[] = [];

  constructor(text: DocumentText) {
    this.#text = text;
  }

  add(piece: PdfPiece): void {
    this.#units += piece.str.length;
    // A line that never ends is nowhere else counted before its end.
    if (this.#units > documentBounds.textBytes) throw new Unreadable("too-much-text");
    if (piece.str !== "") this.#pieces.push(piece);
    if (piece.hasEOL) this.#endLine();
  }

  /** @param headings that stand on it; the text is Markdown where a document has any */
  endPage(headings: readonly PdfHeading[] = []): void {
    this.#endLine();
    const lines = this.#lines;
    this.#lines = [];
    const wanted = new Map(headings.map((heading) => [wordsOf(heading.title), heading] as const));
    let before: Line | null = null;
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at];
      if (line === undefined) break;
      const { heading, count } = headingAt(lines, at, wanted);
      if (heading === undefined) {
        this.#write(before, line);
        before = line;
        continue;
      }
      if (before !== null) this.#text.add(before.text);
      this.#text.endParagraph();
      before = null;
      wanted.delete(wordsOf(heading.title));
      this.#text.add(
        lines
          .slice(at, at + count)
          .map(({ text }) => text)
          .join(" "),
      );
      this.#text.endParagraph(`${"#".repeat(Math.min(heading.level, deepestHeading))} `);
      at += count - 1;
    }
    if (before !== null) this.#text.add(before.text);
    this.#text.endParagraph();
  }

  /** The line before, which a word that it cuts makes go on; the next stays to be written. */
  #write(before: Line | null, line: Line): void {
    if (before === null) return;
    if (!goesOn(before, line)) {
      this.#text.add(before.text);
      this.#text.endParagraph();
    } else if (bullet.test(line.text)) {
      this.#text.add(before.text);
      this.#text.endLine();
    } else this.#text.add(joined(before.text, line.text));
  }

  #endLine(): void {
    const pieces = inReadingOrder(this.#pieces);
    this.#pieces = [];
    const text = pieces
      .map(({ str }) => str)
      .join("")
      .replaceAll(drawn, (letters) => letters.normalize("NFKC"))
      .trim();
    if (text === "") return;
    let height = 0;
    let place: Pick<Line, "y" | "isTurned"> = { y: 0, isTurned: false };
    for (const piece of pieces)
      // The largest letters are the line's: a footnote's mark is small and stands higher.
      if (piece.str.trim() !== "" && piece.height >= height) {
        height = piece.height;
        place = placeOf(piece.transform);
      }
    this.#lines.push({ text, height, ...place });
  }
}

/** Of a page that is shown turned, and of a wide table on one that is not, each line begins at the same y: what it is under is beside it. */
function placeOf([a = 1, b = 0, , d = 1, x = 0, y = 0]: readonly number[]): Pick<Line, "y" | "isTurned"> {
  const isTurned = Math.abs(b) > Math.abs(a);
  // Upside down, as a scanner takes a page that lay so: the next line is above.
  if (!isTurned) return { y: a < 0 && d < 0 ? -y : y, isTurned };
  return { y: b > 0 ? -x : x, isTurned };
}

/** What a title and its place in the document have in common, however they are numbered, spaced and written. */
function wordsOf(title: string): string {
  return title
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

/** The heading whose words these lines are, and of how many. */
function headingAt(
  lines: readonly Line[],
  at: number,
  wanted: ReadonlyMap<string, PdfHeading>,
): { readonly heading: PdfHeading | undefined; readonly count: number } {
  let words = "";
  for (let count = 1; wanted.size > 0 && count <= mostLines; count += 1) {
    words += wordsOf(lines[at + count - 1]?.text ?? "");
    // Its number may be the page's alone.
    const heading = wanted.get(words) ?? wanted.get(words.replace(/^\d+/, ""));
    if (heading !== undefined && words !== "") return { heading, count };
  }
  return { heading: undefined, count: 0 };
}

function goesOn(before: Line, line: Line): boolean {
  if (before.isTurned !== line.isTurned) return false;
  const size = Math.max(before.height, line.height);
  // A file without sizes tells nothing: its lines stay together.
  if (size === 0) return true;
  if (Math.abs(before.height - line.height) > size * sameSize) return false;
  const gap = before.y - line.y;
  // Upwards: another column.
  if (gap <= -size / 2) return goesOnAbove(before.text, line.text);
  // Beside it: a table's cell, or a line that was written in two.
  return gap <= size * mostGap;
}

/** Fewer words in a row are a cell, an item of a list or a title. */
const fewWords = 3;
const cutWord = /\p{Ll}[-\u00ad\u2010]$/u;

/** A sentence that a column's end has cut, or a word. */
function goesOnAbove(before: string, next: string): boolean {
  if (!/^\p{Ll}/u.test(next)) return false;
  if (cutWord.test(before)) return true;
  return /[\p{L}\p{N},]$/u.test(before) && hasWords(before, fewWords) && hasWords(next, fewWords);
}

function hasWords(text: string, count: number): boolean {
  return text.split(/\s+/, count).length === count;
}

/** `Ein- und Ausgang`, `pre- and postwar`: what is left away is said behind it. */
const suspended = /^(?:und|oder|bzw|sowie|and|or|to|et|ou|y|o|e|en|of)\b/u;

/** The line before, with what stands between it and the next: nothing behind a word that it cuts. */
function joined(before: string, next: string): string {
  if (before.endsWith("\u00ad")) return before.slice(0, -1);
  if (/\p{Ll}[-\u2010]$/u.test(before) && /^\p{Ll}/u.test(next) && !suspended.test(next))
    // A word of several (`state-of-the-`) is cut where it has a hyphen.
    return /\p{L}[-\u2010]\p{L}+[-\u2010]$/u.test(before) ? before : before.slice(0, -1);
  const isTight = chineseOrJapanese.test(before.at(-1) ?? "") && chineseOrJapanese.test(next[0] ?? "");
  return isTight ? before : `${before} `;
}
