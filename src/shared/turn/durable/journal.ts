import type { JournalEvent } from "./ports.ts";
import type { Progress } from "./progress.ts";

/**
 * How events become journal rows and rows become bytes for readers.
 *
 * Rows are billed and tokens are many, so several events share a row: at most one row in each interval, and the first content
 * is never waited for. Nothing here knows of storage, timers or streams.
 */
export interface JournalRow {
  /** The number of the row's first event; its others follow without a gap. */
  readonly first: number;
  readonly count: number;
  /** One line for each event: its name (often empty), a blank, its data. */
  readonly payload: string;
  /** The usage up to the end of this row; `null` if the run had reported none. */
  readonly usage: Progress | null;
}

/** A SQLite value holds 2 MB; a UTF-16 unit is at most 3 bytes of UTF-8. */
const maxRowUnits = 500_000;
export const maxEventUnits = maxRowUnits;
/** With long intervals: this much text makes a row at once instead of waiting for the rest of the interval. */
const flushUnits = 4096;
/** That makes at most 10 rows a second. */
const flushSpacingMs = 100;
const urgentRows = 2;
/**
 * What comes before the first content (a role, a `created`) waits so long for it, to share its row: engines send both at
 * the same time, and a short turn has few rows to spend.
 */
const firstHoldMs = 20;

/** Collects events and says when their row is due. Rows that grow too large are closed early and leave together. */
export class JournalPacker {
  readonly #intervalMs: number;
  readonly #closed: JournalRow[] = [];
  #payload = "";
  #first: number;
  #next: number;
  #usage: Progress | null = null;
  #lastRowMs: number | null = null;
  #firstSeenMs: number | null = null;
  #urgent = false;
  #urgentLeft = urgentRows;

  /** @param first the first event's number: not 0 where a journal is continued */
  constructor(intervalMs: number, first = 0) {
    this.#intervalMs = intervalMs;
    this.#first = first;
    this.#next = first;
  }

  get nextSequence(): number {
    return this.#next;
  }

  /** Throws for what cannot be an event: `lineOf` says what. */
  add(event: JournalEvent, urgent = false): void {
    const line = lineOf(event);
    if (this.#payload.length + line.length >= maxRowUnits) this.#close();
    this.#payload += this.#payload === "" ? line : `\n${line}`;
    this.#next += 1;
    if (urgent && this.#urgentLeft > 0) this.#urgent = true;
  }

  progress(usage: Progress): void {
    this.#usage = usage;
  }

  /** Until the next row is due: 0 is now, `null` is never (nothing to write). */
  dueInMs(nowMs: number): number | null {
    if (this.#next === this.#first && this.#closed.length === 0) return null;
    if (this.#urgent || this.#closed.length > 0) return 0;
    if (this.#lastRowMs === null) {
      this.#firstSeenMs ??= nowMs;
      return Math.max(0, this.#firstSeenMs + firstHoldMs - nowMs);
    }
    const early = this.#payload.length >= flushUnits;
    const spacing = early ? Math.min(flushSpacingMs, this.#intervalMs) : this.#intervalMs;
    return Math.max(0, this.#lastRowMs + spacing - nowMs);
  }

  /** All that is pending, as rows to be written now: one, unless it is very large. */
  take(nowMs: number): JournalRow[] {
    this.#close();
    const rows = this.#closed.splice(0);
    if (rows.length === 0) return rows;
    this.#lastRowMs = nowMs;
    if (this.#urgent) this.#urgentLeft -= 1;
    this.#urgent = false;
    return rows;
  }

  #close(): void {
    if (this.#next === this.#first) return;
    this.#closed.push({
      first: this.#first,
      count: this.#next - this.#first,
      payload: this.#payload,
      usage: this.#usage,
    });
    this.#first = this.#next;
    this.#payload = "";
  }
}

/** An event as a row holds it. Throws for a line break, a blank in the name, or more than `maxEventUnits`. */
export function lineOf(event: JournalEvent): string {
  const line = `${event.name ?? ""} ${event.data}`;
  if (line.length >= maxEventUnits) throw new RangeError("a journal event is too large");
  if (/[\r\n]/.test(line)) throw new TypeError("a journal event holds a line break");
  if (event.name?.includes(" ") === true) throw new TypeError("a journal event's name holds a blank");
  return line;
}

/** The row's events, in order. */
export function unpackRow(row: JournalRow): JournalEvent[] {
  return row.payload.split("\n").map((line) => {
    const blank = line.indexOf(" ");
    const data = line.slice(blank + 1);
    return blank === 0 ? { data } : { data, name: line.slice(0, blank) };
  });
}

/** The row's events from number `from` on, as server-sent events. Empty where all lie before. */
export function encodeRow(row: JournalRow, from: number, ids: boolean): string {
  let text = "";
  let sequence = row.first;
  for (const event of unpackRow(row)) {
    if (sequence >= from) {
      if (ids) text += `id: ${sequence}\n`;
      if (event.name !== undefined) text += `event: ${event.name}\n`;
      text += `data: ${event.data}\n\n`;
    }
    sequence += 1;
  }
  return text;
}
