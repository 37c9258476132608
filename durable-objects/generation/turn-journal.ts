import type { ReadPosition } from "../../src/shared/contracts/generation.ts";
import { JournalPacker, type JournalRow, unpackRow } from "../../src/shared/turn/durable/journal.ts";
import type { JournalEvent } from "../../src/shared/turn/durable/ports.ts";
import type { GenerationStore } from "./generation-store.ts";
import { type JournalSource, readJournal } from "./journal-reader.ts";
import { JournalTail } from "./journal-tail.ts";
import type { TurnRun } from "./turn-run.ts";

const eventsPieceUnits = 262_144;

/** The events of a turn so far: stored first, then sent to its readers, and numbered without a gap. */
export class TurnJournal {
  readonly #store: GenerationStore;
  #told: Told;

  constructor(store: GenerationStore) {
    this.#store = store;
    this.#told = new Told(store, store.journalEnd().next);
  }

  /** The number after the last event that is stored. */
  get next(): number {
    return this.#told.end;
  }

  /** The journal is gone; its readers are told. */
  clear(): void {
    this.#told.tail.clear();
  }

  /** The turn is gone, too: what the object holds next belongs to another turn, which this one's readers must not see. */
  erased(): void {
    this.#told.isErased = true;
    this.clear();
    this.#told = new Told(this.#store, 0);
  }

  append(rows: readonly JournalRow[]): void {
    this.#store.appendRows(rows);
    this.show(rows);
  }

  /** Shows rows that are stored already. */
  show(rows: readonly JournalRow[]): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    this.#told.end = last.first + last.count;
    this.#told.tail.push(rows);
  }

  /** There will be no first event; readers that wait for it are told. */
  refused(): void {
    this.#told.isRefused = true;
    this.#told.tail.ring();
  }

  /** The rows that were stored with the turn's end: readers learn that there are no more. */
  showEnd(rows: readonly JournalRow[]): void {
    this.show(rows);
    this.#told.tail.ring();
  }

  /**
   * Stores what the run had emitted and not yet written: it is part of the answer, and of the bill. `false`: storage refuses it, or
   * has refused what came before. No reader saw it, so the turn ends without it.
   */
  appendPending(live: TurnRun, refused: (detail: string) => void): boolean {
    if (live.nextSequence === this.next) return true;
    const pending = live.drain([]);
    if (pending[0]?.first !== this.next) return false;
    try {
      this.append(pending);
    } catch (error) {
      refused(String(error));
      return false;
    }
    return true;
  }

  /**
   * The rows with which a turn ends: what is pending, then its last events. Where storage refused a row, the run's numbers
   * are ahead of the journal's: the end goes where the journal is.
   */
  endRows(live: TurnRun | null, last: readonly JournalEvent[]): readonly JournalRow[] {
    const drained = live?.drain(last);
    if (drained !== undefined && (drained[0]?.first ?? this.next) === this.next) return drained;
    const packer = new JournalPacker(0, this.next);
    for (const event of last) packer.add(event);
    return packer.take(0);
  }

  /** Whether a reader can begin there: at any stored event, or right after the last. */
  canRead({ from }: ReadPosition): boolean {
    if (!Number.isSafeInteger(from) || from < 0) return false;
    return from <= this.next;
  }

  read(position: ReadPosition): ReturnType<typeof readJournal> {
    return readJournal(this.#told, position);
  }

  /** Everything that is stored, a piece at a time. */
  *events(): Generator<JournalEvent> {
    for (let at = 0; at < this.next;) {
      const rows = this.#store.rowsFrom(at, eventsPieceUnits);
      const begun = at;
      for (const row of rows) {
        yield* unpackRow(row);
        at = row.first + row.count;
      }
      if (at <= begun) throw new Error("the journal has a gap");
    }
  }
}

/** The rows that one turn's readers read. The object may hold another turn afterwards, whose events are numbered from 0 again. */
class Told implements JournalSource {
  readonly tail = new JournalTail();
  readonly #store: GenerationStore;
  end: number;
  isErased = false;
  isRefused = false;

  constructor(store: GenerationStore, end: number) {
    this.#store = store;
    this.end = end;
  }

  next(): number {
    return this.end;
  }

  ended(): boolean {
    return this.isErased || this.#store.turn?.status !== "running";
  }

  refused(): boolean {
    return this.isRefused;
  }

  gone(): boolean {
    return this.isErased || this.#store.turn?.pruned !== false;
  }

  rowsFrom(from: number, maxUnits: number): JournalRow[] {
    return this.#store.rowsFrom(from, maxUnits);
  }
}
