/**
 * How often may each isolate call, so that the pool sees a bounded number of calls whatever their number? Each kind of call has a
 * share of 200 a second; intervals follow from how many callers were seen, and stretch while there are more calls than that.
 */
import { Rate } from "./rate.ts";
import type { LeaseReport } from "./pool-protocol.ts";
import type { CallPace } from "./snapshot.ts";

/** Calls a second that the intervals aim at, by kind. Together below 200, with room for bursts. */
const budget = { refresh: 70, report: 30, notice: 30 } as const;
/** Asks get what the other calls leave of this, and never less than the least. */
const mostCalls = 150;
const leastAsks = 30;

const bounds = {
  refresh: [1000, 4000],
  report: [1000, 60_000],
  notice: [50, 10_000],
} as const;

const firstRefreshMs = 3000;
const halfLifeMs = 2000;
/**
 * Intervals grow at once and shrink slowly: callers keep to one for up to four seconds after it was changed, so that what is
 * seen of them meanwhile says little, and a pace that followed it both ways would swing.
 */
const mostShrink = 0.95;

export class CallMeter {
  readonly #refreshes = new Rate(halfLifeMs);
  readonly #asks = new Rate(halfLifeMs);
  readonly #calls = new Rate(halfLifeMs);
  /** Seldom, until it is known how many locations there are. */
  #refreshEveryMs: number = firstRefreshMs;
  #askShare = 1;
  #stretch = 1;
  #adjustedAtMs: number | null = null;

  called(reason: LeaseReport["reason"] | "withdraw", nowMs: number): void {
    this.#calls.add(nowMs);
    if (reason === "refresh") this.#refreshes.add(nowMs);
    if (reason === "ask") this.#asks.add(nowMs);
  }

  /** @param sources isolates that reported lately */
  pace(sources: number, nowMs: number): CallPace {
    this.#adjustedAtMs ??= nowMs + firstRefreshMs;
    if (nowMs - this.#adjustedAtMs >= 1000) this.#adjust(nowMs);
    const every = (ms: number, [least, most]: readonly [number, number]): number =>
      Math.round(Math.min(most, Math.max(least, ms * this.#stretch)));
    return {
      refreshEveryMs: every(this.#refreshEveryMs, bounds.refresh),
      reportEveryMs: every((sources / budget.report) * 1000, bounds.report),
      noticeEveryMs: every((sources / budget.notice) * 1000, bounds.notice),
      askShare: this.#askShare,
    };
  }

  #adjust(nowMs: number): void {
    this.#adjustedAtMs = nowMs;
    // So many locations there are: each calls once an interval.
    const everyMs = Math.min(bounds.refresh[1], this.#refreshEveryMs * this.#stretch);
    const locations = (this.#refreshes.perSecond(nowMs) * everyMs) / 1000;
    const [least, most] = bounds.refresh;
    const wantedMs = Math.min(most, Math.max(least, (locations / budget.refresh) * 1000));
    this.#refreshEveryMs = Math.max(wantedMs, this.#refreshEveryMs * mostShrink);
    const asks = this.#asks.perSecond(nowMs);
    const others = this.#calls.perSecond(nowMs) - asks;
    const wanted = asks / this.#askShare;
    const left = Math.max(leastAsks, mostCalls - others);
    this.#askShare = wanted <= left ? 1 : Math.max(0.001, left / wanted);
    // Above the budget everything that is not asked for comes less often.
    this.#stretch =
      asks + others > mostCalls ? Math.min(8, this.#stretch * 1.5) : Math.max(1, this.#stretch * 0.9);
  }
}
