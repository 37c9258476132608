import type { JournalRow } from "../../src/shared/turn/durable/journal.ts";
import { JournalPacker, lineOf } from "../../src/shared/turn/durable/journal.ts";
import type { JournalEvent, TurnIo, TurnOutcome, TurnRunner } from "../../src/shared/turn/durable/ports.ts";
import type { Usage } from "../../src/shared/contracts/usage.ts";

/**
 * A turn while it runs: what only memory holds. It gives the runner its `io`, decides by the packer when rows are
 * written, and falls silent for ever once it is stopped, whatever the runner still does.
 */
export interface LiveTurnEvents {
  /** Store these rows, then let readers see them. */
  rows(rows: readonly JournalRow[]): void;
  opened(): void;
  /** The runner returned. Not called once stopped. */
  ended(outcome: TurnOutcome): void;
  /** The runner, or the storing of a row, failed. Not called once stopped. */
  threw(error: unknown): void;
}

export class LiveTurn implements TurnIo {
  readonly #packer: JournalPacker;
  readonly #events: LiveTurnEvents;
  readonly #abort = new AbortController();
  #headers: Readonly<Record<string, string>> = {};
  #opened = false;
  #stopped = false;
  #usage: Usage | null = null;
  #flushQueued = false;
  #timer: { readonly id: ReturnType<typeof setTimeout>; readonly atMs: number } | null = null;

  constructor(intervalMs: number, events: LiveTurnEvents) {
    this.#packer = new JournalPacker(intervalMs);
    this.#events = events;
  }

  /** Runs it. Resolves when the runner has returned, also after a stop; never rejects. */
  async run(runner: TurnRunner, request: string): Promise<void> {
    try {
      const outcome = await runner.run(request, this, this.#abort.signal);
      if (!this.#stopped) this.#events.ended(outcome);
    } catch (error) {
      if (!this.#stopped) this.#events.threw(error);
    }
  }

  get isOpen(): boolean {
    return this.#opened;
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

  progress(usage: Usage): void {
    this.#usage = usage;
    this.#packer.progress(usage);
  }

  /** Ends the run's say: the origin is aborted, nothing more is taken from the runner. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
    this.#abort.abort(new Error("the turn has ended"));
  }

  /** What has not been written yet, and `last` behind it: all of it, or a throw and none. */
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
