/**
 * How do the requests of an isolate ask one bucket? In batches: one call at a time carries everything that is waiting, and what arrives
 * meanwhile goes with the next call. The trap (docs: "shared work in an isolate"): when the request that sent the call is reset, its
 * promise may never settle. So the call is registered with that request's background at once, and everyone who waits does so against a
 * clock of its own and then asks for itself, which is safe since operations are idempotent.
 */
import type { Background } from "../contracts/background.ts";
import type { BucketAddress } from "./bucket-name.ts";
import type { BucketOutcome, BucketReply, ReserveOperation, SettleOperation } from "./bucket-protocol.ts";
import type { LimitSet } from "./defaults.ts";
import { askTimeoutMs, type DeskOptions, stubFailure } from "./desk-options.ts";

export type AskAnswer =
  | { readonly kind: "answered"; readonly outcome: BucketOutcome }
  /** `overloaded`: the object itself is overloaded; anything else is a failure of it or of the way to it. */
  | { readonly kind: "unreachable"; readonly overloaded: boolean; readonly detail: string };

interface Ask {
  readonly operation: ReserveOperation;
  readonly limits: LimitSet;
  readonly askedAtMs: number;
  sentBy: Background | null;
  answer: AskAnswer | null;
  wake: () => void;
}

/** After this time, waiting operations no longer wait for the call that is under way. */
const queueWaitMs = 50;
/** A request that waits this long for a call of another request sends its own. */
const strangerWaitMs = 250;
/** A retry comes after up to so long, at random. */
const retryJitterMs = 50;

export class AskLine {
  readonly #options: DeskOptions;
  readonly #address: BucketAddress;
  readonly #onReply: (reply: BucketReply, askedAtMs: number, limits: LimitSet) => void;
  readonly #settled: (limits: LimitSet) => readonly SettleOperation[];
  #queue: Ask[] = [];
  /** Until when the call under way is waited for; 0: none is under way. */
  #awayUntilMs = 0;

  constructor(
    options: DeskOptions,
    address: BucketAddress,
    onReply: (reply: BucketReply, askedAtMs: number, limits: LimitSet) => void,
    settled: (limits: LimitSet) => readonly SettleOperation[],
  ) {
    this.#options = options;
    this.#address = address;
    this.#onReply = onReply;
    this.#settled = settled;
  }

  /** Resolves within `askTimeoutMs`; never rejects. */
  async ask(operation: ReserveOperation, limits: LimitSet, background: Background): Promise<AskAnswer> {
    const now = this.#options.now();
    const ask: Ask = {
      operation,
      limits,
      askedAtMs: now,
      sentBy: null,
      answer: null,
      wake: nothing,
    };
    this.#queue.push(ask);
    if (now >= this.#awayUntilMs) {
      // What this request asks in the same turn (a loan beside a reservation) goes in one call.
      await Promise.resolve();
      if (ask.sentBy === null) this.#send(background);
    }
    while (ask.answer === null) {
      const leftMs = askTimeoutMs - (this.#options.now() - ask.askedAtMs);
      if (leftMs <= 0) return this.#giveUp(ask);
      const patienceMs =
        ask.sentBy === null ? queueWaitMs : ask.sentBy === background ? leftMs : strangerWaitMs;
      await this.#wait(ask, Math.min(leftMs, patienceMs));
      if (ask.answer !== null) break;
      if (ask.sentBy === null) this.#send(background);
      else if (ask.sentBy !== background) this.#transmit([ask], background);
    }
    return ask.answer;
  }

  async #wait(ask: Ask, ms: number): Promise<void> {
    let cancel = nothing;
    await new Promise<void>((resolve) => {
      ask.wake = resolve;
      cancel = this.#options.setTimer(resolve, ms);
    });
    cancel();
  }

  #giveUp(ask: Ask): AskAnswer {
    this.#queue = this.#queue.filter((other) => other !== ask);
    return { kind: "unreachable", overloaded: false, detail: `no answer in ${askTimeoutMs} ms` };
  }

  /** Sends everything that waits and has the same limits as the first. */
  #send(background: Background): void {
    const limits = this.#queue[0]?.limits;
    const asks = this.#queue.filter((ask) => ask.limits === limits);
    this.#queue = this.#queue.filter((ask) => ask.limits !== limits);
    if (asks.length > 0) this.#transmit(asks, background);
  }

  #transmit(asks: readonly Ask[], background: Background): void {
    const limits = asks[0]?.limits;
    if (limits === undefined) return;
    for (const ask of asks) ask.sentBy = background;
    this.#awayUntilMs = this.#options.now() + askTimeoutMs;
    background.run("limits-ask", this.#exchange(asks, limits));
  }

  async #exchange(asks: readonly Ask[], limits: LimitSet): Promise<void> {
    let answers: readonly AskAnswer[];
    try {
      const askedAtMs = this.#options.now();
      const settled = this.#settled(limits);
      const reply = await this.#call(asks, settled, limits);
      this.#onReply(reply, askedAtMs, limits);
      answers = reply.outcomes.slice(settled.length).map((outcome) => ({ kind: "answered", outcome }));
    } catch (error) {
      const failure: AskAnswer = {
        kind: "unreachable",
        overloaded: stubFailure(error) === "overloaded",
        detail: error instanceof Error ? error.message : String(error),
      };
      answers = asks.map(() => failure);
    }
    this.#awayUntilMs = 0;
    for (const [index, ask] of asks.entries()) {
      ask.answer ??= answers[index] ?? null;
      ask.wake();
    }
    this.#queue[0]?.wake();
  }

  /** Recent settlements go first in the call: they may be what makes room. */
  async #call(
    asks: readonly Ask[],
    settled: readonly SettleOperation[],
    limits: LimitSet,
  ): Promise<BucketReply> {
    const batch = {
      version: 1,
      rules: limits.rules,
      leaseMs: limits.leaseMs,
      timeZone: limits.timeZone,
      operations: [...settled, ...asks.map((ask) => ask.operation)],
      acknowledge: "unsaid",
    } as const;
    try {
      return await this.#options.call(this.#address, batch);
    } catch (error) {
      if (stubFailure(error) !== "retryable") throw error;
      await new Promise<void>((resolve) => {
        this.#options.setTimer(resolve, this.#options.random() * retryJitterMs);
      });
      return this.#options.call(this.#address, batch);
    }
  }
}

function nothing(): void {}
