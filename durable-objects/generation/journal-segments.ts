import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import type { Progress } from "../../src/shared/turn/durable/progress.ts";

/**
 * The journal on disk: each write is one row, and the rows stay few.
 *
 * A write rewrites the newest segment with the new events appended, until it is full. It costs one row, as a new key would, and a journal
 * of a thousand writes is deleted with thirty rows: writes and deletions are billed by the row, not by the byte.
 */
const segmentUnits = 16_384;
const prefix = "journal/";
/** The text that the run stores beside its journal (`TurnIo.keep`). */
const keptKey = "kept";

/** Count, payload, usage up to its end, the run's note. */
type Segment = readonly [number, string, Progress | null, string | null];

export class JournalSegments {
  readonly #kv: SyncKvStorage;
  /** The newest segment; `undefined`: not read yet. */
  #newest: JournalRow | null | undefined;
  #note: string | null = null;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  append(rows: readonly JournalRow[]): void {
    let newest = this.#last();
    for (const row of rows) {
      if (newest === null || newest.payload.length + row.payload.length > segmentUnits) newest = row;
      else
        newest = {
          first: newest.first,
          count: newest.count + row.count,
          payload: `${newest.payload}\n${row.payload}`,
          usage: row.usage ?? newest.usage,
        };
      const segment: Segment = [newest.count, newest.payload, newest.usage, this.#note];
      this.#kv.put(keyOf(newest.first), segment);
    }
    this.#newest = newest;
  }

  /** Stored with the next rows, for a run that is resumed after a crash. */
  remember(note: string): void {
    this.#last();
    this.#note = note;
  }

  get note(): string | null {
    this.#last();
    return this.#note;
  }

  /** One row. It goes with the journal. */
  keep(text: string): void {
    this.#kv.put(keptKey, text);
  }

  get kept(): string | null {
    return this.#kv.get<string>(keptKey) ?? null;
  }

  /**
   * The number after the last event, and what was delivered by then.
   *
   * @param last the terminal events' row, where the turn's value holds it
   */
  end(last: JournalRow | null): { readonly next: number; readonly usage: Progress | null } {
    const newest = last ?? this.#last();
    return newest === null
      ? { next: 0, usage: null }
      : { next: newest.first + newest.count, usage: newest.usage };
  }

  /**
   * From the row that holds event `from`, oldest first, until `maxUnits` of text are reached: one row at least, if any.
   *
   * @param last as of `end`
   */
  from(from: number, maxUnits: number, last: JournalRow | null): JournalRow[] {
    if (last !== null && from >= last.first) return [last];
    const rows: JournalRow[] = [];
    let units = 0;
    const [holding] = this.#list({ end: keyOf(from + 1), reverse: true, limit: 1 });
    for (const row of this.#list({ start: keyOf(holding?.first ?? 0) })) {
      rows.push(row);
      units += row.payload.length;
      if (units >= maxUnits) break;
    }
    const newest = rows.at(-1);
    const reached = newest === undefined ? 0 : newest.first + newest.count;
    return last !== null && last.first === reached ? [...rows, last] : rows;
  }

  drop(): void {
    const keys = Array.from(this.#kv.list({ prefix }), ([name]) => name);
    for (const name of keys) this.#kv.delete(name);
    // Deleting a key that does not exist would be billed as a row, too.
    if (this.kept !== null) this.#kv.delete(keptKey);
    this.forget();
  }

  /** Only memory: storage was emptied. */
  forget(): void {
    this.#newest = null;
    this.#note = null;
  }

  /** A transaction was rolled back: its changes in memory are read again from storage. */
  reload(): void {
    this.#newest = undefined;
  }

  #last(): JournalRow | null {
    if (this.#newest !== undefined) return this.#newest;
    const [entry] = this.#kv.list<Segment>({ prefix, reverse: true, limit: 1 });
    this.#note ??= entry?.[1][3] ?? null;
    this.#newest = entry === undefined ? null : rowOf(entry);
    return this.#newest;
  }

  *#list(options: SyncKvListOptions): Generator<JournalRow> {
    for (const entry of this.#kv.list<Segment>({ prefix, ...options })) yield rowOf(entry);
  }
}

function keyOf(first: number): string {
  return prefix + String(first).padStart(10, "0");
}

function rowOf([key, [count, payload, usage]]: readonly [string, Segment]): JournalRow {
  return { first: Number(key.slice(prefix.length)), count, payload, usage };
}
