import { encodeRow, type JournalRow } from "../../src/shared/turn/durable/journal.ts";
import { Bell } from "../storage/bell.ts";

/**
 * The journal's newest rows in memory, for readers that keep up, and the bell that wakes them. One for all readers,
 * bounded whatever their number; a reader that lags behind it reads from SQL.
 */
const maxTailUnits = 131_072;

interface TailRow {
  readonly row: JournalRow;
  /** Encoded once for all readers that begin at or before the row. */
  plain: Uint8Array | null;
  numbered: Uint8Array | null;
}

export class JournalTail {
  readonly #rows: TailRow[] = [];
  readonly #bell = new Bell();
  #units = 0;

  push(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      this.#rows.push({ row, plain: null, numbered: null });
      this.#units += row.payload.length;
    }
    while (this.#units > maxTailUnits) this.#units -= this.#rows.shift()?.row.payload.length ?? 0;
    this.ring();
  }

  /** Forgets all rows: they were pruned or deleted. */
  clear(): void {
    this.#rows.length = 0;
    this.#units = 0;
    this.ring();
  }

  /** Wakes every waiting reader: there are rows, or an end. */
  ring(): void {
    this.#bell.ring();
  }

  /** Resolves `true` at the next ring, `false` after `timeoutMs` of silence. */
  changed(timeoutMs: number): Promise<boolean> {
    return this.#bell.within(timeoutMs);
  }

  /** The bytes from event `from` to the end, if memory still has that event; else `null`. */
  bytesFrom(
    from: number,
    ids: boolean,
  ): { readonly bytes: readonly Uint8Array[]; readonly next: number } | null {
    const [oldest] = this.#rows;
    const newest = this.#rows.at(-1);
    if (oldest === undefined || newest === undefined || from < oldest.row.first) return null;
    const bytes: Uint8Array[] = [];
    for (const tail of this.#rows) {
      if (tail.row.first + tail.row.count <= from) continue;
      bytes.push(tail.row.first >= from ? whole(tail, ids) : encode(encodeRow(tail.row, from, ids)));
    }
    return { bytes, next: newest.row.first + newest.row.count };
  }
}

function whole(tail: TailRow, ids: boolean): Uint8Array {
  if (ids) return (tail.numbered ??= encode(encodeRow(tail.row, 0, true)));
  return (tail.plain ??= encode(encodeRow(tail.row, 0, false)));
}

const encoder = new TextEncoder();
export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
