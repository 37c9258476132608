/**
 * May this replica be asked? A circuit breaker with scored failures in closed form: no timers, no windows to sweep; state is
 * a function of the time given. Passive: it learns only from what happened.
 */

import { hasPassed, leftUntil } from "./elapsed.ts";

/** The weight of each outcome. A refused connection says more than one bad answer; a busy replica is alive. */
export const failureWeights = {
  refused: 2,
  status: 1,
  "first-byte-timeout": 1.5,
  "bad-answer": 1,
  broken: 1,
  stalled: 1.5,
} as const;
export type FailureReason = keyof typeof failureWeights;

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerSettings {
  /** Opens at this score. */
  readonly threshold: number;
  /** Failures weigh half after so long. */
  readonly halfLifeMs: number;
  /** A success leaves this share of the score: with 0.8 and threshold 3, the breaker opens if more than about 40 % fail, at any rate of requests. */
  readonly successFactor: number;
  /** First time open; doubles with every trip in a row, up to the most. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** A trial that never reported blocks others for this long. */
  readonly trialMs: number;
  /** When nothing else is left, an open replica may still be tried this often. */
  readonly lastResortMs: number;
}

export const defaultBreakerSettings: BreakerSettings = {
  threshold: 3,
  halfLifeMs: 10_000,
  successFactor: 0.8,
  openMs: 1000,
  maxOpenMs: 15_000,
  trialMs: 10_000,
  lastResortMs: 250,
};

/** The longest that a replica is left alone because it was busy (ask-replica.ts). */
const mostBusyMs = 10_000;
/** Losing to a hedge once is not a fault: after this many in a row without a first byte, the replica may be silent for good. */
const doubtfulOutruns = 4;

export class Breaker {
  readonly #settings: BreakerSettings;
  #score = 0;
  #scoredAtMs = 0;
  /** Trips without a lasting recovery between them. */
  #trips = 0;
  /** 0: closed. */
  #openUntilMs = 0;
  #openedBy: FailureReason | null = null;
  #trialAtMs = Number.NEGATIVE_INFINITY;
  /** Asked to slow down (429): no failure, only a pause. */
  #busyUntilMs = 0;
  #lastResortAtMs = Number.NEGATIVE_INFINITY;
  /** How often a replica that was asked later was quicker, since the last first byte. */
  #outruns = 0;
  /** Since `takeOutcomes`. */
  #successes = 0;
  #failures: Partial<Record<FailureReason, number>> | null = null;

  constructor(settings: BreakerSettings = defaultBreakerSettings) {
    this.#settings = settings;
  }

  state(nowMs: number): BreakerState {
    if (this.#openUntilMs === 0) return "closed";
    return this.#openForMs(nowMs) > 0 ? "open" : "half-open";
  }

  /** May a request go here now, other things equal? Asking does not take the half-open trial; `begin` does. */
  admits(nowMs: number): boolean {
    if (nowMs < this.#busyUntilMs && this.#busyForMs(nowMs) > 0) return false;
    const state = this.state(nowMs);
    if (state === "closed") return true;
    return state === "half-open" && hasPassed(this.#trialAtMs, nowMs, this.#settings.trialMs);
  }

  /** May a request go here because nowhere else is left? Seldom enough not to hurt a replica that is down. */
  admitsLastResort(nowMs: number): boolean {
    return (
      this.#busyForMs(nowMs) === 0 && hasPassed(this.#lastResortAtMs, nowMs, this.#settings.lastResortMs)
    );
  }

  /** A request goes here now. */
  begin(nowMs: number): void {
    const state = this.state(nowMs);
    if (state === "half-open") this.#trialAtMs = nowMs;
    if (state !== "closed") this.#lastResortAtMs = nowMs;
  }

  /**
   * The first byte of an answer came. A replica that was open is asked again from now on, and one failure soon after opens it again:
   * to wait for the end of a long stream would keep a recovered replica idle for minutes.
   */
  firstByte(nowMs: number): void {
    this.#outruns = 0;
    if (this.#openUntilMs === 0) return;
    this.#openUntilMs = 0;
    this.#trialAtMs = Number.NEGATIVE_INFINITY;
    this.#score = this.#settings.threshold - 0.5;
    this.#scoredAtMs = nowMs;
  }

  /** An answer ended well. */
  success(nowMs: number): void {
    this.#successes += 1;
    this.firstByte(nowMs);
    this.#score = this.score(nowMs) * this.#settings.successFactor;
    this.#scoredAtMs = nowMs;
    if (this.#score < 1) this.#trips = 0;
  }

  failure(reason: FailureReason, nowMs: number): void {
    this.#failures = { ...this.#failures, [reason]: (this.#failures?.[reason] ?? 0) + 1 };
    const state = this.state(nowMs);
    // While open, late failures of requests that began before add nothing: they are the same fault.
    if (state === "open") return;
    // Silent until its time-out after it lost so often: that is proof enough.
    const isHanging = reason === "first-byte-timeout" && this.#outruns >= doubtfulOutruns;
    this.#score = this.score(nowMs) + (isHanging ? this.#settings.threshold : failureWeights[reason]);
    this.#scoredAtMs = nowMs;
    if (state === "half-open" || this.#score >= this.#settings.threshold) {
      const openMs = Math.min(this.#settings.maxOpenMs, this.#settings.openMs * 2 ** this.#trips);
      this.#openUntilMs = nowMs + openMs;
      this.#openedBy = reason;
      this.#trips = Math.min(this.#trips + 1, 16);
      this.#score = 0;
      this.#trialAtMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** The outcomes since the last call, for the pool's breaker, which hears of all isolates. */
  takeOutcomes(): { readonly successes: number; readonly failures: Partial<Record<FailureReason, number>> } {
    const taken = { successes: this.#successes, failures: this.#failures ?? {} };
    this.#successes = 0;
    this.#failures = null;
    return taken;
  }

  /**
   * Another replica, asked later, was quicker, and this one's request is no longer needed. A replica that hangs would never be found out if
   * all its requests were dropped. True: let this one continue, so that its first byte or its time-out shows which it is.
   */
  outrun(nowMs: number): boolean {
    this.#outruns += 1;
    return this.#outruns >= doubtfulOutruns || this.state(nowMs) !== "closed";
  }

  /** The trial ended without saying anything about the replica (client gone, busy): the next request may try. */
  undecided(): void {
    this.#trialAtMs = Number.NEGATIVE_INFINITY;
  }

  /** It said 429: alive, but not to be asked for so long. */
  busy(forMs: number, nowMs: number): void {
    this.undecided();
    this.#busyUntilMs = nowMs + Math.max(forMs, this.#busyForMs(nowMs));
  }

  /**
   * A poll found it well. If it had been out of reach, it may be tried at once. If it had answered
   * wrongly, its health page was fine all along and proves nothing.
   */
  polledWell(nowMs: number): void {
    if (this.#openedBy === "refused" && this.state(nowMs) === "open") this.#openUntilMs = nowMs;
  }

  /** Milliseconds until it may be asked again; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(this.#openForMs(nowMs), this.#busyForMs(nowMs));
  }

  /** Milliseconds until `admits` or `admitsLastResort` says yes, if nothing happens before. */
  askableInMs(nowMs: number): number {
    const busyMs = this.#busyForMs(nowMs);
    if (this.#openUntilMs === 0) return busyMs;
    const { trialMs, lastResortMs } = this.#settings;
    const untilTrialMs = leftUntil(this.#trialAtMs + trialMs, nowMs, trialMs);
    const untilLastResortMs = leftUntil(this.#lastResortAtMs + lastResortMs, nowMs, lastResortMs);
    return Math.max(busyMs, Math.min(Math.max(this.#openForMs(nowMs), untilTrialMs), untilLastResortMs));
  }

  #openForMs(nowMs: number): number {
    return leftUntil(this.#openUntilMs, nowMs, this.#settings.maxOpenMs);
  }

  #busyForMs(nowMs: number): number {
    return leftUntil(this.#busyUntilMs, nowMs, mostBusyMs);
  }

  /** The decayed sum of failures. */
  score(nowMs: number): number {
    const ageMs = Math.max(0, nowMs - this.#scoredAtMs);
    return this.#score * 2 ** (-ageMs / this.#settings.halfLifeMs);
  }
}
