/**
 * How many characters do a PDF's character maps speak of? A range of sixteen million is written in thirty bytes, and PDF.js makes each of
 * them: minutes of CPU, and more memory than there is.
 */
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";

const begins = /begin(?:bf|cid)range/g;
const range = /<([\da-f\s]{1,40})>\s*<([\da-f\s]{1,40})>\s*(?:<[^>]*>|\[[^\]]*\]|\d+)/gi;
/** A block of a hundred ranges, as many as one may have, is no longer. */
const blockUnits = 65_536;

/** Of a document, stream by stream. */
export class PdfMaps {
  #characters = 0;

  /** @param text of a stream, or of the file, in Latin letters. @throws Unreadable */
  read(text: string): void {
    for (const { index } of text.matchAll(begins)) {
      const end = text.indexOf("range", index + "begincidrange".length);
      const block = text.slice(index, Math.min(index + blockUnits, end === -1 ? text.length : end));
      for (const [, first = "", last = ""] of block.matchAll(range)) {
        const span = numberOf(last) - numberOf(first) + 1;
        if (span > 0) this.#characters += span;
        if (span > documentBounds.pdfMapRange || this.#characters > documentBounds.pdfMapCharacters)
          throw new Unreadable("too-much-inside");
      }
    }
  }
}

function numberOf(hex: string): number {
  return Number.parseInt(hex.replaceAll(/\s/g, ""), 16);
}
