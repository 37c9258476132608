/**
 * How do settlements reach a bucket? Collected for a moment, sent in batches, and sent again until the bucket acknowledges them, which it
 * does once they are durable. No request waits for that. What can't be delivered is kept, up to a bound, for the next call to the bucket.
 */
import type { Background } from "../contracts/background.ts";
import type { BucketAddress } from "./bucket-name.ts";
import type { BucketReply, SettleOperation } from "./bucket-protocol.ts";
import type { LimitSet } from "./defaults.ts";
import { type DeskOptions, pause } from "./desk-options.ts";
import type { Loan } from "./loan.ts";

/** Settlements are gathered so long, or until there are so many. */
const gatherMs = 100;
const batchSize = 64;
/** An acknowledgement waits for a write, about a second; then the call counts as lost. */
const acknowledgeWithinMs = 4_000;
/** Before each further attempt. All of it ends within the 30 s that a request's background work may last. */
const retryAfterMs = [250, 1_000, 4_000] as const;
/** Kept for later where the bucket can't be reached. */
const maxKept = 4_096;

/** What is told together or not at all, in this order, and the limits that it was granted under. */
interface Report {
  readonly operations: readonly SettleOperation[];
  readonly limits: LimitSet;
}

export class ReportLine {
  readonly #options: DeskOptions;
  readonly #address: BucketAddress;
  readonly #onReply: (reply: BucketReply, askedAtMs: number) => void;
  #reports: Report[] = [];
  readonly #loans = new Map<Loan, LimitSet>();
  /** When the gathering in progress ends; one that is long over belonged to a request that was reset. */
  #dueMs = 0;

  constructor(
    options: DeskOptions,
    address: BucketAddress,
    onReply: (reply: BucketReply, askedAtMs: number) => void,
  ) {
    this.#options = options;
    this.#address = address;
    this.#onReply = onReply;
  }

  /** Whether the bucket must still be told something. */
  get isPending(): boolean {
    return this.#reports.length > 0 || this.#loans.size > 0;
  }

  /** What waits to be told that was granted under these limits: the oldest, one batch at most. */
  waiting(limits: LimitSet): readonly SettleOperation[] {
    const waiting: SettleOperation[] = [];
    for (const report of this.#reports) {
      if (waiting.length >= batchSize) break;
      if (report.limits === limits) waiting.push(...report.operations);
    }
    return waiting;
  }

  add(operation: SettleOperation, limits: LimitSet, background: Background): void {
    this.addTogether([operation], limits, background);
  }

  /**
   * Batches overtake one another: one that was lost is sent again after the next has arrived. What must not be heard before
   * something else goes with it, also where that was sent before: the bucket knows it again.
   */
  addTogether(operations: readonly SettleOperation[], limits: LimitSet, background: Background): void {
    this.#reports.push({ operations, limits });
    this.#gather(background);
  }

  /** The loan's report is made when it leaves, so that it says the latest. */
  addLoan(loan: Loan, limits: LimitSet, background: Background): void {
    this.#loans.set(loan, limits);
    this.#gather(background);
  }

  /** The bucket is being spoken to: what could not be delivered before is tried again. */
  resume(background: Background): void {
    if (this.isPending) this.#gather(background);
  }

  #gather(background: Background): void {
    const now = this.#options.now();
    if (this.#reports.length >= batchSize) {
      background.run("limits-report", this.#flush());
      return;
    }
    if (now < this.#dueMs + gatherMs) return;
    this.#dueMs = now + gatherMs;
    background.run("limits-report", this.#flushSoon());
  }

  async #flushSoon(): Promise<void> {
    await pause(this.#options, gatherMs);
    this.#dueMs = 0;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.isPending) {
      for (const [loan, limits] of this.#loans) this.#reports.push({ operations: [loan.report()], limits });
      this.#loans.clear();
      const reports = this.#nextBatch();
      if (await this.#deliver(reports)) continue;
      this.#keep(reports);
      return;
    }
  }

  /** The oldest, and what was granted under the same limits: a batch is settled under one table. */
  #nextBatch(): readonly Report[] {
    const limits = this.#reports[0]?.limits;
    const batch: Report[] = [];
    const rest: Report[] = [];
    for (const report of this.#reports)
      (report.limits === limits && batch.length < batchSize ? batch : rest).push(report);
    this.#reports = rest;
    return batch;
  }

  async #deliver(reports: readonly Report[]): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      if (await this.#attempt(reports)) return true;
      const waitMs = retryAfterMs[attempt];
      if (waitMs === undefined) return false;
      await pause(this.#options, waitMs * (0.5 + this.#options.random() / 2));
    }
  }

  /** A failure here is expected and is told by what happens next: another attempt, or `settlementsLost`. */
  async #attempt(reports: readonly Report[]): Promise<boolean> {
    const [first] = reports;
    if (first === undefined) return true;
    const { rules, leaseMs, timeZone } = first.limits;
    const askedAtMs = this.#options.now();
    const call: Promise<BucketReply> = this.#options.call(this.#address, {
      version: 1,
      rules,
      leaseMs,
      timeZone,
      operations: reports.flatMap(({ operations }) => operations),
      acknowledge: "soon",
    });
    return new Promise((resolve) => {
      const cancel = this.#options.setTimer(() => resolve(false), acknowledgeWithinMs);
      call.then(
        (reply) => {
          cancel();
          this.#onReply(reply, askedAtMs);
          const unsound = reply.outcomes.filter(({ type }) => type === "unsound").length;
          if (unsound > 0) this.#options.events.settlementsLost(unsound);
          resolve(true);
        },
        () => {
          cancel();
          resolve(false);
        },
      );
    });
  }

  #keep(reports: readonly Report[]): void {
    this.#reports.unshift(...reports);
    const excess = this.#reports.length - maxKept;
    if (excess <= 0) return;
    this.#reports.splice(0, excess);
    this.#options.events.settlementsLost(excess);
  }
}
