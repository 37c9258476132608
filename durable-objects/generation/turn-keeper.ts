import type { ReadPosition, StartTurn } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Usage } from "../../src/shared/contracts/usage.ts";
import { JournalPacker, type JournalRow, unpackRow } from "../../src/shared/turn/durable/journal.ts";
import type {
  DeliverEffect,
  Interruption,
  JournalEvent,
  LostRun,
  TurnOutcome,
  TurnRunner,
} from "../../src/shared/turn/durable/ports.ts";
import {
  dueWork,
  livenessMs,
  nextAlarmMs,
  restartDelayMs,
} from "../../src/shared/turn/durable/turn-state.ts";
import { GenerationStore, type Turn } from "./generation-store.ts";
import { type JournalSource, readJournal } from "./journal-reader.ts";
import { JournalTail } from "./journal-tail.ts";
import { LiveTurn } from "./live-turn.ts";
import { Outbox, type Report } from "./outbox.ts";
import { interruptedEnd, resumedWork, unexpectedEnd } from "./unexpected-end.ts";

/**
 * Brings one turn from its claim to its last effect. It joins what others decide: when rows are due (LiveTurn), what is
 * to be done at an alarm (turn-state.ts), how a turn ends (the runner).
 *
 * Storage is the truth. A turn that storage calls running while memory has no run of it was lost, and goes on (or ends) at
 * the next wake: by whoever asks, or by the liveness alarm.
 */
export interface GenerationParts {
  readonly runner: TurnRunner;
  readonly deliver: DeliverEffect;
  /** A structured line to the log: never content. */
  readonly report: Report;
}

export class TurnKeeper {
  readonly #context: DurableObjectState;
  readonly #compose: () => GenerationParts;
  readonly #store: GenerationStore;
  readonly #source: JournalSource;
  readonly #tail = new JournalTail();
  /** Those who wait for the turn to open or to end. */
  readonly #waiting = new Set<() => void>();
  #parts: GenerationParts | null = null;
  #outbox: Outbox | null = null;
  #live: LiveTurn | null = null;
  #next: number;
  /** When the alarm rings, as far as memory knows. */
  #alarmMs: number | null = null;
  /** For those who waited while a refused turn was erased under them. */
  #refused: { readonly refusal: Refusal; readonly headers: Record<string, string> } | null = null;

  constructor(context: DurableObjectState, compose: () => GenerationParts) {
    this.#context = context;
    this.#compose = compose;
    this.#store = new GenerationStore(context.storage);
    this.#next = this.#store.journalEnd().next;
    this.#source = {
      tail: this.#tail,
      next: () => this.#next,
      ended: () => this.turn?.status !== "running",
      gone: () => this.turn?.pruned !== false,
      rowsFrom: (from, maxUnits) => this.#store.rowsFrom(from, maxUnits),
    };
  }

  get turn(): Turn | null {
    return this.#store.turn;
  }

  get lastRefusal(): Refusal | null {
    return this.#refused?.refusal ?? null;
  }

  response(): string | null {
    return this.#store.response();
  }

  /** What the runner shows of a turn that runs. */
  running(): string | null {
    const request = this.#store.request();
    return request === null ? null : (this.#needParts().runner.running?.(request) ?? null);
  }

  /** The usage receipt's claims as JSON; `null`: none is kept. */
  get receipt(): string | null {
    return this.#store.receipt;
  }

  headers(): Record<string, string> {
    return { ...(this.#live?.headers ?? this.turn?.headers ?? this.#refused?.headers) };
  }

  /** At every entry: a turn that storage calls running, with no run in memory, has lost it. It goes on, or it ends. */
  recover(): void {
    const { turn } = this;
    if (turn?.status !== "running" || this.#live !== null) return;
    if (!this.#goOn(turn)) this.interrupt("lost", null);
  }

  /**
   * Before there is a turn: makes the database and sets the liveness alarm, which a claim then finds, so that neither stands
   * between it and the first token. Where no claim comes, the alarm deletes it all.
   */
  async prepare(): Promise<void> {
    if (this.turn !== null || this.#alarmMs !== null) return;
    this.#alarmMs = Date.now() + livenessMs;
    await this.#context.storage.setAlarm(this.#alarmMs);
  }

  claim(message: StartTurn): void {
    const { runner } = this.#needParts();
    const nowMs = Date.now();
    const turn = this.#store.claim(message, nowMs);
    this.#refused = null;
    this.#next = 0;
    this.#setAlarm(turn, nowMs);
    const live = this.#begin(turn, { next: 0, usage: null });
    this.#context.waitUntil(live.run((io, signal) => runner.run(message.request, io, signal)));
  }

  /** A lost turn goes on where its journal ends, if the runner can; `false`: it can't, or it was lost too often. */
  #goOn(turn: Turn): boolean {
    const nowMs = Date.now();
    const delayMs = restartDelayMs(turn, turn.restarts, Math.random(), nowMs);
    if (delayMs === null) return false;
    const begun = this.#store.journalEnd();
    const lost: LostRun = {
      events: () => this.#events(),
      usage: begun.usage,
      note: this.#store.note,
      isFindable: turn.fingerprint !== null || turn.background,
    };
    const { runner } = this.#needParts();
    const work = resumedWork(runner, this.#store.request(), lost, (event, detail) =>
      this.#report(event, { detail }),
    );
    if (work === null) return false;
    this.#report("turn-resumed", { restarts: turn.restarts + 1, events: begun.next });
    this.#setAlarm(this.#store.restarted(), nowMs);
    const live = this.#begin(turn, begun);
    this.#context.waitUntil(
      live.run(async (io, signal) => {
        await live.wait(delayMs);
        signal.throwIfAborted();
        return work(io, signal);
      }),
    );
    return true;
  }

  #begin(turn: Turn, begun: { readonly next: number; readonly usage: Usage | null }): LiveTurn {
    const live = new LiveTurn(
      turn.intervalMs,
      {
        rows: (rows) => {
          this.#store.appendRows(rows);
          this.#publish(rows);
        },
        remember: (note) => this.#store.remember(note),
        opened: () => this.#wakeWaiting(),
        ended: (outcome) => this.#end(outcome),
        threw: (error) => this.#threw(error instanceof Error ? error : new Error("not an Error")),
      },
      begun,
    );
    this.#live = live;
    return live;
  }

  /** Resolves when the turn has opened (or ended before), or has ended. */
  async reached(point: "opened" | "ended"): Promise<void> {
    for (;;) {
      if (this.turn?.status !== "running") return;
      if (point === "opened" && this.#live?.isOpen === true) return;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Whether a reader can begin there: at any stored event, or right behind the last. */
  canRead({ from }: ReadPosition): boolean {
    if (!Number.isSafeInteger(from) || from < 0) return false;
    return from <= this.#next;
  }

  read(position: ReadPosition): ReadableStream<Uint8Array> {
    const { stream, done } = readJournal(this.#source, position);
    this.#context.waitUntil(done);
    return stream;
  }

  /** Ends a running turn whose run did not end it. The runner says how; if it can't, it ends as failed all the same. */
  interrupt(reason: Interruption["reason"], error: Error | null): void {
    const { turn } = this;
    if (turn?.status !== "running") return;
    const live = this.#live;
    live?.stop();
    if (reason !== "cancelled") this.#report("turn-interrupted", { reason, detail: error?.message ?? "" });
    const isWhole = live === null || this.#writePending(live);
    const opened = this.#next > 0 || live?.isOpen === true;
    const interruption: Interruption = {
      reason,
      opened,
      usage: (isWhole ? live?.usage : null) ?? this.#store.journalEnd().usage,
      events: () => this.#events(),
      nowMs: Date.now(),
    };
    const { runner } = this.#needParts();
    const outcome = interruptedEnd(runner, this.#store.request(), interruption, (event, detail) =>
      this.#report(event, { detail }),
    );
    try {
      this.#end(outcome);
    } catch (error) {
      // Storage takes no end: it calls the turn running, and so the next wake (30 s at most) finds the run lost.
      this.#live = null;
      throw error;
    }
  }

  /**
   * What the run had emitted and not yet written is part of the answer, and of the bill. `false`: storage refuses it, or
   * has refused what came before. Nobody was shown it, so that the turn ends without it.
   */
  #writePending(live: LiveTurn): boolean {
    if (live.nextSequence === this.#next) return true;
    const pending = live.drain([]);
    if (pending[0]?.first !== this.#next) return false;
    try {
      this.#store.appendRows(pending);
    } catch (error) {
      this.#report("journal-not-stored", { detail: String(error) });
      return false;
    }
    this.#publish(pending);
    return true;
  }

  /** The run, or the storing of what it said, failed. Nobody is there to be told where no end can be stored either. */
  #threw(error: Error): void {
    try {
      this.interrupt("threw", error);
    } catch (refused) {
      this.#report("end-not-stored", { detail: String(refused) });
    }
  }

  /**
   * The claim that led here goes on to the next object. This one stays until that one's time is over: an empty object
   * would take the claim again, and the same request would be answered twice.
   */
  outlive({ replayMs, deadlineMs }: StartTurn["policy"]): void {
    this.#store.keepUntil(Date.now() + replayMs + deadlineMs + outliveMarginMs);
  }

  async forget(): Promise<void> {
    this.interrupt("cancelled", null);
    if (this.turn === null) return;
    this.#store.forget();
    this.#tail.clear();
    await this.#afterEnd();
  }

  /** Never throws: a throwing alarm is given up after six tries, and the turn would hang. */
  async onAlarm(): Promise<void> {
    this.#alarmMs = null;
    try {
      this.recover();
      const { turn } = this;
      if (turn === null) {
        await this.#context.blockConcurrencyWhile(() => this.#store.erase());
        return;
      }
      const nowMs = Date.now();
      if (dueWork(turn, this.#store.outboxState(), nowMs).overdue) this.interrupt("deadline", null);
      if (this.turn?.status === "running") this.#setAlarm(turn, nowMs);
      else await this.#afterEnd();
    } catch (error) {
      await this.#context.storage.setAlarm(Date.now() + livenessMs);
      this.#report("alarm-failed", { detail: String(error) });
    }
  }

  #end(outcome: TurnOutcome): void {
    const live = this.#live;
    const wentOn = live?.isStopped === false && (this.turn?.restarts ?? 0) > 0;
    if (outcome.status === "refused" && wentOn && this.#next > 0) {
      // Nobody could go on with it: it ends as what was lost ends.
      this.interrupt("lost", null);
      return;
    }
    if (outcome.status === "refused" && (this.#next > 0 || live?.isOpen === true)) {
      // A reader has seen a beginning: it gets an end, whatever the runner thought.
      this.#report("refused-after-opening", {});
      this.#endAs(unexpectedEnd(live?.usage ?? null, outcome.effects));
      return;
    }
    this.#endAs(outcome);
  }

  #endAs(outcome: TurnOutcome): void {
    const live = this.#live;
    const last = outcome.status === "refused" ? [] : outcome.events;
    // Where storage refused a row, the run's numbers are ahead of the journal's: the end goes where the journal is.
    const drained = live?.drain(last);
    const rows =
      drained !== undefined && (drained[0]?.first ?? this.#next) === this.#next
        ? drained
        : this.#packLast(last);
    this.#store.end(outcome, live?.headers ?? {}, rows, Date.now());
    live?.stop();
    this.#live = null;
    if (outcome.status === "refused")
      this.#refused = { refusal: outcome.refusal, headers: { ...outcome.headers } };
    this.#publish(rows);
    this.#tail.ring();
    this.#wakeWaiting();
    this.#context.waitUntil(this.#afterEnd());
  }

  /** Delivers, prunes, erases: whatever is due. Then sets the alarm for the next. */
  async #afterEnd(): Promise<void> {
    const parts = this.#needParts();
    this.#outbox ??= new Outbox(this.#store, parts.deliver, parts.report);
    await this.#outbox.deliverDue();
    const { turn } = this;
    if (turn === null || turn.status === "running") return;
    const nowMs = Date.now();
    const due = dueWork(turn, this.#store.outboxState(), nowMs);
    if (due.erase) {
      this.#next = 0;
      this.#tail.clear();
      this.#alarmMs = null;
      await this.#context.blockConcurrencyWhile(() => this.#store.erase());
      return;
    }
    if (due.prune) {
      this.#store.prune();
      this.#tail.clear();
    }
    this.#setAlarm(this.turn ?? turn, nowMs);
  }

  #publish(rows: readonly JournalRow[]): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    this.#next = last.first + last.count;
    this.#tail.push(rows);
  }

  #packLast(events: readonly JournalEvent[]): JournalRow[] {
    const packer = new JournalPacker(0, this.#next);
    for (const event of events) packer.add(event);
    return packer.take(0);
  }

  *#events(): Generator<JournalEvent> {
    for (let at = 0; at < this.#next;) {
      const rows = this.#store.rowsFrom(at, eventsPieceUnits);
      const begun = at;
      for (const row of rows) {
        yield* unpackRow(row);
        at = row.first + row.count;
      }
      if (at <= begun) throw new Error("the journal has a gap");
    }
  }

  /**
   * Sees to it that the alarm rings in time. One that rings earlier is left alone, since it looks again and setting it
   * costs a row.
   */
  #setAlarm(turn: Turn, nowMs: number): void {
    const atMs = nextAlarmMs(turn, this.#store.outboxState(), nowMs);
    if (this.#alarmMs !== null && this.#alarmMs <= atMs) return;
    this.#alarmMs = atMs;
    this.#context.waitUntil(this.#context.storage.setAlarm(atMs));
  }

  #wakeWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #report(event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#needParts().report(event, { turnId: this.turn?.turnId ?? "", ...fields });
  }

  #needParts(): GenerationParts {
    this.#parts ??= this.#compose();
    return this.#parts;
  }
}

/** For clocks, and for what lies between the answer `expired` and the next object's claim. */
const outliveMarginMs = 3_600_000;

const eventsPieceUnits = 262_144;
