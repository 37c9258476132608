import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import { JournalPacker, lineOf } from "../../src/shared/turn/durable/journal.ts";
import type { JournalEvent, TurnIo, TurnOutcome, TurnWork } from "../../src/shared/turn/durable/ports.ts";
import type { Usage } from "../../src/shared/contracts/usage.ts";
import { type Progress, usageOf } from "../../src/shared/turn/durable/progress.ts";

/** What a run tells its keeper. */
export interface TurnRunEvents {
  /** Store these rows, then let readers see them. */
  rows(rows: readonly JournalRow[]): void;
  /** Store this with the next rows. */
  remember(note: string): void;
  /** Store this now. */
  keep(text: string): void;
  opened(): void;
  /** The runner returned. Not called once stopped. */
  ended(outcome: TurnOutcome): void;
  /** The runner, or the storing of a row, failed. Not called once stopped. */
  threw(error: unknown): void;
}

/**
 * The run of a turn, which exists only in memory. It gives the runner its `io`, decides by the packer when rows are
 * written, and ignores the runner once it is stopped.
 */
export class TurnRun implements TurnIo {
  readonly #packer: JournalPacker;
  readonly #events: TurnRunEvents;
  readonly #abort = new AbortController();
  #headers: Readonly<Record<string, string>> = {};
  #opened = false;
  #stopped = false;
  #usage: Usage | null = null;
  #flushQueued = false;
  #timer: { readonly id: ReturnType<typeof setTimeout>; readonly atMs: number } | null = null;

  /** @param begun for a turn that continues from its journal: the number of its next event, and the usage by then */
  constructor(
    intervalMs: number,
    events: TurnRunEvents,
    begun: { readonly next: number; readonly usage: Progress | null } = { next: 0, usage: null },
  ) {
    this.#packer = new JournalPacker(intervalMs, begun.next);
    this.#events = events;
    this.#usage = begun.usage === null ? null : usageOf(begun.usage);
    this.#opened = begun.next > 0;
    if (begun.usage !== null) this.#packer.progress(begun.usage);
  }

  /** Runs it. Resolves when the work is over, also after a stop; never rejects. */
  async run(work: TurnWork): Promise<void> {
    try {
      const outcome = await work(this, this.#abort.signal);
      if (!this.#stopped) this.#events.ended(outcome);
    } catch (error) {
      if (!this.#stopped) this.#events.threw(error);
    }
  }

  get isOpen(): boolean {
    return this.#opened;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  get nextSequence(): number {
    return this.#packer.nextSequence;
  }

  open(headers: Readonly<Record<string, string>>): void {
    if (this.#stopped || this.#opened) return;
    this.#headers = headers;
    this.#opened = true;
    this.#events.opened();
  }

  emit(event: JournalEvent, urgent = false): boolean {
    if (this.#stopped) return false;
    this.open({});
    this.#packer.add(event, urgent);
    if (!this.#flushQueued) {
      this.#flushQueued = true;
      queueMicrotask(() => this.#schedule());
    }
    return true;
  }

  write(): void {
    if (!this.#stopped) this.#flush();
  }

  progress(progress: Progress): void {
    this.#usage = usageOf(progress);
    this.#packer.progress(progress);
  }

  remember(note: string): void {
    if (!this.#stopped) this.#events.remember(note);
  }

  keep(text: string): void {
    if (!this.#stopped) this.#events.keep(text);
  }

  /** Resolves after this time, or once it is stopped. */
  async wait(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    this.#abort.signal.addEventListener("abort", () => over.resolve(), { once: true });
    await over.promise;
    clearTimeout(timer);
  }

  /** Stops the run: the origin is aborted, and the runner's output is ignored from now on. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
    this.#abort.abort(new Error("the turn has ended"));
  }

  /** The rows that are not written yet, followed by `last`; throws if any of it is invalid. */
  drain(last: readonly JournalEvent[]): JournalRow[] {
    last.forEach(lineOf);
    for (const event of last) this.#packer.add(event);
    return this.#packer.take(Date.now());
  }

  /** After everything that was emitted in one synchronous stretch: write now, or set the clock. */
  #schedule(): void {
    this.#flushQueued = false;
    if (this.#stopped) return;
    const nowMs = Date.now();
    const dueInMs = this.#packer.dueInMs(nowMs);
    if (dueInMs === null) return;
    if (dueInMs === 0) {
      this.#flush();
      return;
    }
    const atMs = nowMs + dueInMs;
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    this.#clearTimer();
    this.#timer = { id: setTimeout(() => this.#onTimer(), dueInMs), atMs };
  }

  #onTimer(): void {
    this.#timer = null;
    this.#schedule();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer.id);
    this.#timer = null;
  }

  #flush(): void {
    this.#clearTimer();
    try {
      this.#events.rows(this.#packer.take(Date.now()));
    } catch (error) {
      this.#events.threw(error);
    }
  }
}
