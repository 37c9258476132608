/**
 * How is a sheet read in pieces? As a table in CSV (retrieval/csv-text.ts): each row with its columns' names, unless the first row is none
 * or that would swell the text over fourfold. What stands alone in its row above the table is a title.
 */
import { documentBounds } from "./document-bounds.ts";
import type { DocumentText } from "./document-text.ts";
import { Unreadable } from "./unreadable.ts";

interface Cell {
  readonly column: number;
  readonly text: string;
}

const mostGrowth = 4;
const freeUnits = 65_536;
/** What a cell costs beside its letters, in memory and as text between its name and the next cell. */
const cellUnits = 16;

export class SheetRows {
  readonly #rows: Cell[][] = [];
  /** Of what is kept. */
  #units = 0;

  get isEmpty(): boolean {
    return this.#units === 0;
  }

  beginRow(): void {
    // Of rows without a cell there may be a million.
    if (this.#rows.at(-1)?.length !== 0) this.#rows.push([]);
  }

  /** A shared text is kept as often as it is named: each time counts. */
  addCell(column: number, text: string): void {
    if (text.trim() === "") return;
    this.#units += text.length + cellUnits;
    if (this.#units > documentBounds.textBytes) throw new Unreadable("too-much-text");
    this.#rows.at(-1)?.push({ column, text });
  }

  write(text: DocumentText): void {
    const header = this.#rows.findIndex((row) => row.length > 1);
    const names = this.#namesIn(header);
    for (const [at, row] of this.#rows.entries()) {
      if (row.length === 0 || (names !== null && at === header)) continue;
      for (const [place, cell] of row.entries()) {
        if (place > 0) text.add(" | ");
        // Above the table there are no columns yet.
        const name = names === null || at < header ? undefined : names.get(cell.column);
        text.add(name === undefined ? cell.text : `${name}: ${cell.text}`);
      }
      text.endLine();
    }
    text.endParagraph();
  }

  /** `null`: its cells are none, or too long. */
  #namesIn(header: number): ReadonlyMap<number, string> | null {
    const cells = this.#rows[header];
    if (cells === undefined || header === this.#rows.length - 1) return null;
    const names = new Map(cells.map(({ column, text }) => [column, text.replace(/\s+/g, " ").trim()]));
    if ([...names.values()].some((name) => /^[-+]?[\d.,]+$/.test(name))) return null;
    let named = this.#units;
    for (const row of this.#rows.slice(header + 1))
      for (const { column } of row) named += (names.get(column)?.length ?? 0) + 2;
    return named > this.#units * mostGrowth + freeUnits ? null : names;
  }
}
