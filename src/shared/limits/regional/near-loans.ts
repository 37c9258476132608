/**
 * When does an isolate take an org's loan from the stock of its region, instead of asking a bucket that is far away? Only where the bucket
 * was measured to be far. The stock is waited for only where it is likely to have a loan, since a miss adds the short trip to the long one.
 * Which loan an isolate has is known to bucket-lane.ts.
 */
import type { Background } from "../../contracts/background.ts";
import type { BucketAddress } from "../bucket-name.ts";
import type { LimitSet } from "../defaults.ts";
import { askTimeoutMs, type DeskOptions, stubFailure } from "../desk-options.ts";
import { Loan } from "../loan.ts";
import type { Tier } from "../tier.ts";
import { type Place, regionOf } from "./region.ts";
import type { DrawReply, DrawRequest, StockAddress } from "./region-protocol.ts";

/** A round trip to a bucket in the same part of the world takes less. */
const farMs = 40;
/** A stock that answers no sooner than at this share of the bucket's time is not nearby, whatever it was asked to be. */
const nearShare = 0.7;
/** The longest wait for a stock. */
const patienceMs = 100;
/** After a loan was handed out, another one is likely for this long: the stock is kept up for the next requests. */
const expectMs = 30_000;
/** Before the next draw: where nothing was in store (it is being filled), where the stock failed, where it is no nearer. */
const emptyPauseMs = 1_000;
const failedPauseMs = 10_000;
const notNearPauseMs = 60_000;

export interface NearLoansEvents {
  /** A loan came; it is the receiver's to use or to give back. */
  loan(loan: Loan, limits: LimitSet, background: Background): void;
  /** The bucket's answer for these limits when the loan was drawn. */
  heard(heard: NonNullable<DrawReply["heard"]>, askedAtMs: number, limits: LimitSet): void;
}

export class NearLoans {
  readonly #options: DeskOptions;
  readonly #bucket: BucketAddress;
  readonly #events: NearLoansEvents;
  /** Of the bucket: falls at once, rises slowly. 0: not known. */
  #roundTripMs = 0;
  #expectedUntilMs = 0;
  #pausedUntilMs = 0;
  /** One draw at a time, for whoever waits. Its request may be reset: then it never ends. */
  #drawing: { readonly startedAtMs: number; readonly wakes: Set<() => void> } | null = null;

  constructor(options: DeskOptions, bucket: BucketAddress, events: NearLoansEvents) {
    this.#options = options;
    this.#bucket = bucket;
    this.#events = events;
  }

  /** The bucket answered after so long. */
  noteRoundTrip(ms: number): void {
    const last = this.#roundTripMs;
    this.#roundTripMs = last === 0 || ms < last ? ms : last + (ms - last) / 8;
  }

  /** `null`: the bucket is near enough, or no nearer stock is known. */
  stockAt(place: Place, tier: Tier, limits: LimitSet): StockAddress | null {
    if (this.#roundTripMs < farMs || limits.stock === null) return null;
    const { regions, takesLoans } = this.#options;
    // A jurisdiction's objects all live there: none of them is nearer to callers elsewhere.
    if (regions === undefined || !takesLoans || this.#bucket.jurisdiction !== "none") return null;
    const region = regionOf(place);
    return region === null ? null : { region, tier, bucket: this.#bucket };
  }

  /** Is it worth waiting for the stock? */
  isExpected(now: number): boolean {
    return now < this.#expectedUntilMs && now >= this.#pausedUntilMs;
  }

  /** Resolves when the stock has answered, and in any case after a moment. Never rejects. */
  async draw(at: StockAddress, limits: LimitSet, background: Background): Promise<void> {
    this.begin(at, limits, background);
    const drawing = this.#drawing;
    if (drawing === null) return;
    let cancel: () => void = () => undefined;
    const isLate = await new Promise<boolean>((resolve) => {
      drawing.wakes.add(() => resolve(false));
      cancel = this.#options.setTimer(() => resolve(true), patienceMs);
    });
    cancel();
    if (!isLate) return;
    this.#options.regions?.drawn("late");
    this.#pause(failedPauseMs);
  }

  /** The same without waiting, for the next request. */
  begin(at: StockAddress, limits: LimitSet, background: Background): void {
    const now = this.#options.now();
    if (now < this.#pausedUntilMs) return;
    if (this.#drawing !== null && now < this.#drawing.startedAtMs + askTimeoutMs) return;
    const drawing = { startedAtMs: now, wakes: new Set<() => void>() };
    this.#drawing = drawing;
    const done = (): void => {
      if (this.#drawing === drawing) this.#drawing = null;
      for (const wake of drawing.wakes) wake();
    };
    background.run("limits-draw", this.#fetch(at, limits, now, background).finally(done));
  }

  async #fetch(at: StockAddress, limits: LimitSet, askedAtMs: number, background: Background): Promise<void> {
    const { regions } = this.#options;
    const { stock, rules, leaseMs, timeZone } = limits;
    if (regions === undefined || stock === null) return;
    const request: DrawRequest = {
      version: 1,
      id: this.#options.newId(),
      bucket: this.#bucket,
      terms: { rules, leaseMs, timeZone },
      ...stock,
    };
    let reply: DrawReply;
    try {
      reply = await this.#ask(at, request);
    } catch (error) {
      this.#pause(failedPauseMs);
      regions.drawn("failed", error instanceof Error ? error.message : String(error));
      return;
    }
    const now = this.#options.now();
    const { loan, heard } = reply;
    if (heard !== null) this.#events.heard(heard, askedAtMs - heard.agoMs, limits);
    if (now - askedAtMs >= this.#roundTripMs * nearShare) this.#pause(notNearPauseMs);
    else if (loan === null) this.#pause(emptyPauseMs);
    else if (now >= this.#pausedUntilMs) this.#expectedUntilMs = now + expectMs;
    regions.drawn(loan === null ? "empty" : "loan");
    if (loan === null) return;
    const { id, receipt, block, ageMs } = loan;
    this.#events.loan(new Loan(id, receipt, block, askedAtMs - ageMs), limits, background);
  }

  /** Asked again where the answer was lost: the stock knows the id, and hands out the same loan. */
  async #ask(at: StockAddress, request: DrawRequest): Promise<DrawReply> {
    const { regions } = this.#options;
    if (regions === undefined) throw new Error("there are no regions");
    try {
      return await regions.draw(at, request);
    } catch (error) {
      if (stubFailure(error) === "overloaded") throw error;
      return regions.draw(at, request);
    }
  }

  #pause(ms: number): void {
    this.#expectedUntilMs = 0;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#options.now() + ms);
  }
}
