import type { ReadPosition, StartTurn } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Progress } from "../../src/shared/turn/durable/progress.ts";
import type {
  AskedMessages,
  AskedPage,
  Interruption,
  TurnOutcome,
} from "../../src/shared/turn/durable/ports.ts";
import { dueWork, livenessMs, restartDelayMs } from "../../src/shared/turn/durable/turn-state.ts";
import { Bell } from "../storage/bell.ts";
import { EndedTurn } from "./ended-turn.ts";
import type { GenerationParts } from "./generation-parts.ts";
import { GenerationStore } from "./generation-store.ts";
import { TurnRun } from "./turn-run.ts";
import { interruptionOf, lostRun } from "./run-remains.ts";
import { TurnAlarm } from "./turn-alarm.ts";
import { TurnJournal } from "./turn-journal.ts";
import type { TextName } from "./turn-content.ts";
import type { Turn } from "./turn-value.ts";
import { interruptedEnd, resumedWork, unexpectedEnd } from "./unexpected-end.ts";

/**
 * Takes one turn from its claim to its last effect. It combines the decisions of others: when rows are due (TurnRun), what readers get
 * (TurnJournal), what an alarm does (turn-state.ts), how a turn ends (the runner).
 *
 * Storage is the truth. A turn that is running by storage, but has no run in memory, was lost; it continues (or ends) when the object next
 * wakes, by a call or by the liveness alarm.
 */
export class TurnKeeper {
  readonly #context: DurableObjectState;
  readonly #compose: () => GenerationParts;
  readonly #store: GenerationStore;
  readonly #journal: TurnJournal;
  readonly #alarm: TurnAlarm;
  readonly #ended: EndedTurn;
  /** Calls that wait for the turn to open or to end. */
  readonly #waiting = new Bell();
  #parts: GenerationParts | null = null;
  #live: TurnRun | null = null;
  /** For calls that waited while a refused turn was erased. */
  #refused: { readonly refusal: Refusal; readonly headers: Record<string, string> } | null = null;

  constructor(context: DurableObjectState, compose: () => GenerationParts) {
    this.#context = context;
    this.#compose = compose;
    this.#store = new GenerationStore(context.storage);
    this.#journal = new TurnJournal(this.#store);
    this.#alarm = new TurnAlarm(context);
    this.#ended = new EndedTurn(context, this.#store, this.#journal, this.#alarm);
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

  /** To be called before `name` is read: fetches it if it lies elsewhere, and throws if that fails. `null`: it lies here, and there is nothing to await. */
  fetched(name: TextName): Promise<void> | null {
    const { content } = this.#store;
    return content.isElsewhere(name) ? content.fetch(name, this.#needParts().content?.bucket ?? null) : null;
  }

  /** The response of a running turn, as the runner shows it. */
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

  /** Called at every entry: a turn that is running by storage but has no run in memory has lost it. An ended one may have lost its outbox. */
  recover(): void {
    this.#recoverRun();
    this.#ended.recover(() => this.#needParts());
  }

  /** Continues the turn, or ends it. */
  #recoverRun(): void {
    const { turn } = this;
    if (turn?.status !== "running" || this.#live !== null) return;
    if (!this.#goOn(turn)) this.interrupt("lost", null);
  }

  /**
   * Before there is a turn: makes the database and sets the liveness alarm, which a claim then finds, so that neither stands
   * between it and the first token. If no claim comes, the alarm deletes everything.
   */
  async prepare(): Promise<void> {
    if (this.turn === null && !this.#alarm.isSet) await this.#alarm.setLiveness();
  }

  claim(message: StartTurn): void {
    const { runner } = this.#needParts();
    const nowMs = Date.now();
    const turn = this.#store.claim(message, nowMs);
    this.#refused = null;
    this.#setAlarm(turn, nowMs);
    const live = this.#begin(turn, { next: 0, usage: null });
    this.#context.waitUntil(live.run((io, signal) => runner.run(message.request, io, signal)));
  }

  /** Continues a lost turn where its journal ends, if the runner can; `false`: it can't, or the turn was lost too often. */
  #goOn(turn: Turn): boolean {
    const nowMs = Date.now();
    const delayMs = restartDelayMs(turn, turn.restarts, Math.random(), nowMs);
    if (delayMs === null) return false;
    const begun = this.#store.journalEnd();
    const lost = lostRun(turn, this.#store, this.#journal);
    const { runner } = this.#needParts();
    const work = resumedWork(runner, this.#store.request(), lost, this.#fault);
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

  #begin(turn: Turn, begun: { readonly next: number; readonly usage: Progress | null }): TurnRun {
    const live = new TurnRun(
      turn.intervalMs,
      {
        rows: (rows) => this.#journal.append(rows),
        remember: (note) => this.#store.remember(note),
        keep: (text) => this.#store.keep(text),
        opened: () => this.#waiting.ring(),
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
      await this.#waiting.next();
    }
  }

  canRead(position: ReadPosition): boolean {
    return this.#journal.canRead(position);
  }

  read(position: ReadPosition): ReadableStream<Uint8Array> {
    const { stream, done } = this.#journal.read(position);
    this.#context.waitUntil(done);
    return stream;
  }

  /** Ends a running turn that its run did not end. The runner says how; if it can't, the turn ends as failed. */
  interrupt(reason: Interruption["reason"], error: Error | null): void {
    const { turn } = this;
    if (turn?.status !== "running") return;
    const live = this.#live;
    live?.stop();
    if (reason !== "cancelled") this.#report("turn-interrupted", { reason, detail: error?.message ?? "" });
    const isWhole =
      live === null ||
      this.#journal.appendPending(live, (detail) => this.#fault("journal-not-stored", detail));
    const interruption = interruptionOf(reason, live, isWhole, this.#store, this.#journal);
    const { runner } = this.#needParts();
    const outcome = interruptedEnd(runner, this.#store.request(), interruption, this.#fault);
    try {
      this.#end(outcome);
    } catch (error) {
      // Storage refused the end, so the turn is still running there: the next wake (30 s at most) finds the run lost.
      this.#live = null;
      throw error;
    }
  }

  /** The run, or storing its events, failed. If the end can't be stored either, only the log is told. */
  #threw(error: Error): void {
    try {
      this.interrupt("threw", error);
    } catch (refused) {
      this.#fault("end-not-stored", String(refused));
    }
  }

  /** The claim that led here moves on to the next object. */
  outlive(next: StartTurn["policy"]): void {
    this.#ended.outlive(this.#needParts(), next);
  }

  hold(untilMs: number): void {
    this.#store.hold(untilMs);
  }

  async forget(): Promise<void> {
    this.interrupt("cancelled", null);
    if (this.turn !== null) await this.#ended.forget(this.#needParts());
  }

  /** The changed response; `null`: the turn is in no list, or its response is gone. */
  update(metadata: string): string | null {
    return this.#ended.update(this.#needParts(), metadata);
  }

  /** The messages that a listed turn was asked with; `null`: they are not kept. */
  asked(page: AskedPage): AskedMessages | null {
    const request = this.#store.asked();
    return request === null ? null : (this.#needParts().runner.asked?.(request, page) ?? null);
  }

  /** Never throws: a throwing alarm is given up after six tries, and the turn would hang. */
  async onAlarm(): Promise<void> {
    this.#alarm.clear();
    try {
      this.#recoverRun();
      const { turn } = this;
      if (turn === null) {
        await this.#ended.erase();
        return;
      }
      const nowMs = Date.now();
      if (dueWork(turn, this.#store.outboxState(), nowMs).overdue) this.interrupt("deadline", null);
      if (this.turn?.status === "running") this.#setAlarm(turn, nowMs);
      else await this.#ended.tend(this.#needParts());
    } catch (error) {
      await this.#context.storage.setAlarm(Date.now() + livenessMs);
      this.#fault("alarm-failed", String(error));
    }
  }

  #end(outcome: TurnOutcome): void {
    const live = this.#live;
    const wentOn = live?.isStopped === false && (this.turn?.restarts ?? 0) > 0;
    if (outcome.status === "refused" && wentOn && this.#journal.next > 0) {
      // The resumed run was refused: the turn ends as a lost one does.
      this.interrupt("lost", null);
      return;
    }
    if (outcome.status === "refused" && (this.#journal.next > 0 || live?.isOpen === true)) {
      // A reader has seen a beginning and must get an end.
      this.#report("refused-after-opening", {});
      this.#endAs(unexpectedEnd(live?.usage ?? null, outcome.effects));
      return;
    }
    this.#endAs(outcome);
  }

  #endAs(outcome: TurnOutcome): void {
    const live = this.#live;
    const last = outcome.status === "refused" ? [] : outcome.events;
    const rows = this.#journal.endRows(live, last);
    this.#store.end(outcome, live?.headers ?? {}, rows, Date.now());
    live?.stop();
    this.#live = null;
    if (outcome.status === "refused")
      this.#refused = { refusal: outcome.refusal, headers: { ...outcome.headers } };
    if (outcome.refusal === undefined) this.#journal.showEnd(rows);
    else this.#journal.refused();
    this.#waiting.ring();
    this.#context.waitUntil(this.#ended.tend(this.#needParts()));
  }

  #setAlarm(turn: Turn, nowMs: number): void {
    this.#alarm.setFor(turn, this.#store.outboxState(), nowMs);
  }

  readonly #fault = (event: string, detail: string): void => this.#report(event, { detail });

  #report(event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#needParts().report(event, { turnId: this.turn?.turnId ?? "", ...fields });
  }

  #needParts(): GenerationParts {
    this.#parts ??= this.#compose();
    return this.#parts;
  }
}
