import { endsBy, expiresMs, type BatchLife } from "../../src/shared/batches/batch-life.ts";
import { BatchPace } from "../../src/shared/batches/batch-pace.ts";
import type { LineDebt } from "../../src/shared/batches/line-debt.ts";
import { checkLine } from "../../src/shared/batches/check-line.ts";
import { answeredText, kindOf, tallyOf, type AnsweredLine } from "../../src/shared/batches/result-line.ts";
import type { BatchError } from "../../src/shared/contracts/batch.ts";
import { requestIdOf } from "../../src/shared/batches/line-name.ts";
import { WindowReader } from "../../src/shared/batches/window-reader.ts";
import { Bell } from "../storage/bell.ts";
import { fileGone } from "./batch-input.ts";
import type { BatchParts, LineOutcome } from "./batch-parts.ts";
import type { BatchStore, StoredLine } from "./batch-store.ts";

/**
 * Runs a batch's lines, some at a time. A line is marked as begun before its turn is started, and its result is written in one transaction:
 * after a kill in between, the turn of a line that has begun is looked for before anything else. A line without a turn waits as before.
 */
export class BatchLines {
  readonly #store: BatchStore;
  readonly #parts: BatchParts;
  readonly #pace: BatchPace;
  readonly #input: WindowReader;
  readonly #underWay = new Map<number, AttendedLine>();
  /** Lines that have begun and whose outcome is unknown here, after a kill or with an object out of reach. */
  readonly #lost: StoredLine[];
  readonly #bell = new Bell();
  /** The line that began last. Lines that must be asked again come after the others. */
  #last = 0;
  #bytes = 0;

  constructor(life: BatchLife, store: BatchStore, parts: BatchParts) {
    this.#store = store;
    this.#parts = parts;
    this.#pace = new BatchPace(life.opening.maxInFlight);
    this.#lost = store.begun();
    store.charges.giveBackOpen();
    this.#input = new WindowReader((at, length) => parts.readInput(life, at, length));
  }

  /**
   * Until none is under way and none is to begin; or all wait for longer than is worth staying awake for.
   *
   * @returns how long to wait, in milliseconds; `null`: none is left
   */
  async run(): Promise<number | null> {
    for (;;) {
      const life = this.#lastCall();
      // Erased: the answers under way are no longer wanted.
      if (life === null || life.deletedMs !== null) return null;
      this.#beginSome(life);
      const nowMs = Date.now();
      if (this.#underWay.size === 0) {
        if (life.ending !== null || this.#store.nextWaiting(0) === null) return null;
        const pauseMs = Math.min(this.#pace.pauseMs(nowMs), expiresMs(life) - nowMs);
        if (pauseMs > awakeMs) return pauseMs;
        await this.#bell.within(Math.max(1, pauseMs));
      } else await this.#bell.within(lookMs);
    }
  }

  /** Something was changed from outside: it is looked at now. */
  wake(): void {
    this.#bell.ring();
  }

  /** No line begins any more when its time is over, or its answers need all the room that there is. */
  #lastCall(): BatchLife | null {
    const life = this.#store.life();
    if (life === null || life.ending !== null) return life;
    const isOver = Date.now() >= expiresMs(life);
    if (!isOver && this.#store.bytes < (life.opening.maxStoredBytes ?? Infinity)) return life;
    const ending = isOver
      ? endsBy(life, "expired", Date.now())
      : endsBy(life, "failed", Date.now(), outputTooLarge);
    this.#store.write(ending);
    return ending;
  }

  #beginSome(life: BatchLife): void {
    // Their turns may be there, and be paid, whatever has become of the batch and its file since.
    for (let line = this.#lost[0]; line !== undefined && this.#hasRoom(line); line = this.#lost[0]) {
      this.#lost.shift();
      this.#attend(life, { ...line, chargeId: null }, this.#parts.find(life, line));
    }
    while (life.ending === null && this.#pace.pauseMs(Date.now()) === 0) {
      const line = this.#store.nextWaiting(this.#last);
      if (line === null || !this.#hasRoom(line)) break;
      this.#last = line.number;
      const begun = { ...line, chargeId: this.#store.begin(life, line) };
      this.#attend(life, begun, this.#outcome(life, begun));
    }
  }

  /** Long lines are few at a time: each is held while it is asked. */
  #hasRoom({ bytes }: StoredLine): boolean {
    const { size } = this.#underWay;
    return size === 0 || (size < this.#pace.width && this.#bytes + bytes <= mostBytesUnderWay);
  }

  #attend(life: BatchLife, line: AttendedLine, coming: Promise<LineOutcome | null>): void {
    this.#underWay.set(line.number, line);
    this.#bytes += line.bytes;
    void this.#await(life, line, coming).finally(() => {
      this.#underWay.delete(line.number);
      this.#bytes -= line.bytes;
      this.#bell.ring();
    });
  }

  /** Never rejects. @param coming the line's outcome; `null`: there is none, and it may be asked */
  async #await(life: BatchLife, line: AttendedLine, coming: Promise<LineOutcome | null>): Promise<void> {
    try {
      const outcome = await coming;
      if (!this.#isWanted()) return;
      this.#store.transaction(() => {
        this.#store.charges.owe(line.chargeId, debtOf(outcome));
        if (outcome === null) this.#store.putBack(line);
        else this.#take(life, line, outcome);
      });
      if (line.chargeId !== null) this.#store.charges.tellSoon(life, this.#parts);
    } catch (error) {
      // It may have a turn: it stays begun, and that is looked for.
      this.#parts.report(`a line of a batch could not be asked: ${String(error)}`);
      if (this.#isWanted()) this.#store.charges.owe(line.chargeId);
      this.#pace.refused(0, Date.now(), Math.random());
      await scheduler.wait(unreachableMs);
      this.#lost.push(line);
    }
  }

  async #outcome(
    life: BatchLife,
    { at, bytes, number, attempt, chargeId }: AttendedLine,
  ): Promise<LineOutcome> {
    let text: Uint8Array | null;
    try {
      text = await this.#input.read(at, bytes);
    } catch (error) {
      this.#parts.report(`a batch's file can't be read: ${String(error)}`);
      return { kind: "wait", retryAfterMs: unreachableMs };
    }
    if (text === null) return { kind: "stop", code: fileGone.code, message: fileGone.message };
    const checked = checkLine(text, life.opening.endpoint, life.model);
    if (!checked.ok)
      return { kind: "stop", code: checked.error.code, message: "The input file is not what it was." };
    return this.#parts.run(life, { number, attempt, body: checked.value.body, chargeId });
  }

  #take(life: BatchLife, line: StoredLine, outcome: LineOutcome): void {
    switch (outcome.kind) {
      case "answered":
        this.#pace.answered();
        return this.#record(life, line, outcome);
      case "wait":
        this.#parts.counted("waited", 1);
        this.#pace.refused(outcome.retryAfterMs, Date.now(), Math.random());
        return this.#store.putBack(line);
      case "again":
        if (line.attempt + 1 >= mostAttempts) return this.#record(life, line, { ...outcome, isKept: false });
        this.#parts.counted("broken", 1);
        this.#pace.refused(0, Date.now(), Math.random());
        return this.#store.tryAgain(line);
      case "stop": {
        this.#store.putBack(line);
        const { code, message } = outcome;
        const now = this.#store.life();
        const error = { code, message, param: null, line: null };
        if (now !== null) this.#store.write(endsBy(now, "failed", Date.now(), error));
      }
    }
  }

  #record(
    life: BatchLife,
    line: StoredLine,
    { answered, isKept }: { readonly answered: AnsweredLine; readonly isKept: boolean },
  ): void {
    const kind = kindOf(answered);
    const text = answeredText(requestIdOf(life.id, line.number), line.customId, answered);
    this.#store.record(line, kind, text, tallyOf(answered));
    this.#parts.counted(kind === "output" ? "completed" : "failed", 1);
    if (isKept) return;
    // Where this does not get through it goes by itself, a day later.
    this.#parts
      .forget(life, line)
      .catch((error: unknown) => this.#parts.report(`a turn could not be forgotten: ${String(error)}`));
  }

  #isWanted(): boolean {
    const life = this.#store.life();
    return life !== null && life.deletedMs === null;
  }
}

/** A line under way, and the id of its charge; `null`: its own turn has the charge. */
type AttendedLine = StoredLine & { readonly chargeId: string | null };

/** An answer that is not in a file costs nothing. */
function debtOf(outcome: LineOutcome | null): LineDebt | undefined {
  return outcome?.kind === "answered" ? outcome.debt : undefined;
}

const outputTooLarge: BatchError = {
  code: "output_too_large",
  message: "The answers of one batch take too much room: ask for the rest in another batch.",
  param: null,
  line: null,
};

/** Of a line whose answer breaks off. */
const mostAttempts = 3;
/** The object stays awake for waits up to this. */
const awakeMs = 10_000;
/** How often to check whether the time is over or the batch was cancelled. */
const lookMs = 5_000;
/** Of a line whose turn could not be asked. */
const unreachableMs = 2_000;
const mostBytesUnderWay = 16_777_216;
