/**
 * What does this isolate know of one bucket? Its loan, what is asked of it, what it must still be told, and how it stood
 * when it last answered. One for each bucket in use; bounded by limit-desk.ts.
 */
import type { Background } from "../contracts/background.ts";
import type { Principal } from "../identity/principal.ts";
import { AskLine } from "./ask-line.ts";
import type { BucketAddress, LimitScope } from "./bucket-name.ts";
import { type BucketStanding, emptyBatch, noAmounts } from "./bucket-protocol.ts";
import type { LimitSet } from "./defaults.ts";
import { askTimeoutMs, type DeskOptions, pause } from "./desk-options.ts";
import { Loan } from "./loan.ts";
import { loanPolicy } from "./loan-policy.ts";
import { UnansweredAdmissions } from "./open-admissions.ts";
import { ReportLine } from "./report-line.ts";
import { SeenRevocations } from "./revocation.ts";

/** A loan is taken for a bucket that is asked so often within a second: for fewer, it would lie idle. */
const busyAsks = 3;
/** How often a loan's holder tells the bucket what was used, and whether the loan is still wanted. */
const tendMs = 2_000;
/** After the bucket would not lend. */
const notLentPauseMs = 1_000;

export class BucketLane {
  readonly scope: LimitScope;
  readonly asks: AskLine;
  readonly reports: ReportLine;
  readonly #options: DeskOptions;
  readonly #address: BucketAddress;
  readonly #revocations = new SeenRevocations();
  /** Let in while the bucket could not be reached. */
  readonly unanswered = new UnansweredAdmissions();
  #loan: Loan | null = null;
  /** What the loan was granted under: whoever has other limits asks. */
  #loanLimits: LimitSet | null = null;
  #standing: BucketStanding | null = null;
  #noLoanBeforeMs = 0;
  #asksSinceMs = 0;
  #askCount = 0;

  constructor(options: DeskOptions, address: BucketAddress, scope: LimitScope) {
    this.#options = options;
    this.scope = scope;
    this.#address = address;
    this.asks = new AskLine(
      options,
      address,
      (reply, askedAtMs) => {
        this.#standing = reply.standing;
        this.unanswered.answered(reply.standing);
        this.#revocations.note(reply, askedAtMs);
      },
      (limits) => this.reports.waiting(limits),
    );
    this.reports = new ReportLine(options, address, (reply, askedAtMs) =>
      this.#revocations.note(reply, askedAtMs),
    );
  }

  now(): number {
    return this.#options.now();
  }

  /** As the bucket last answered; what this isolate holds on loan is still to be had. */
  get standing(): BucketStanding | null {
    return this.#standing;
  }

  /** By what the bucket last said: under a loan at most as old as the loan. */
  revokes(principal: Principal): boolean {
    return this.#revocations.revokes(principal);
  }

  /** `false`: the bucket was not heard for `maxAgeMs`. */
  isHeardWithin(maxAgeMs: number, now: number): boolean {
    return now - this.#revocations.seenAtMs <= maxAgeMs;
  }

  /** Asks for revocations alone. `false`: it could not be asked. */
  async listen(background: Background): Promise<boolean> {
    const askedAtMs = this.#options.now();
    const call = this.#options.call(this.#address, emptyBatch);
    return new Promise((resolve) => {
      const cancel = this.#options.setTimer(() => resolve(false), askTimeoutMs);
      background.run(
        "limits-listen",
        call
          .then((reply) => {
            this.#revocations.note(reply, askedAtMs);
            resolve(true);
          })
          .finally(() => {
            cancel();
            resolve(false);
          }),
      );
    });
  }

  get loan(): Loan | null {
    return this.#loan;
  }

  /** The loan that one request and so much were taken from; `null`: the bucket must be asked. */
  takeFromLoan(
    tokens: number,
    microdollars: number,
    limits: LimitSet,
    now: number,
    background: Background,
  ): Loan | null {
    const loan = this.#loan;
    if (loan === null || this.#loanLimits !== limits) return null;
    if (loan.take(tokens, microdollars, now)) {
      if (now >= this.#noLoanBeforeMs && loan.isLow(now)) this.#askForLoan(limits, now, background);
      return loan;
    }
    if (now >= loan.usableUntilMs) this.#end(loan, limits, background);
    return null;
  }

  /** Notes that the bucket is about to be asked for a request, and asks for a loan beside it where that pays. */
  noteAsk(limits: LimitSet, now: number, background: Background): void {
    this.reports.resume(background);
    if (limits.block === null || !this.#options.takesLoans) return;
    if (now - this.#asksSinceMs >= 1_000) {
      this.#asksSinceMs = now;
      this.#askCount = 0;
    }
    this.#askCount += 1;
    if (this.#askCount >= busyAsks && now >= this.#noLoanBeforeMs) this.#askForLoan(limits, now, background);
  }

  /** Something was returned to a loan: reports it, or ends it, where that is due. */
  afterSettlement(loan: Loan, limits: LimitSet, background: Background): void {
    if (loan.hasEnded) this.reports.addLoan(loan, limits, background);
    else if (this.#options.now() >= loan.usableUntilMs) this.#end(loan, limits, background);
  }

  #askForLoan(limits: LimitSet, now: number, background: Background): void {
    // One at a time. Should the asking request be reset, another may ask after the time-out.
    this.#noLoanBeforeMs = now + askTimeoutMs;
    background.run("limits-loan", this.#takeLoan(limits, now, background));
  }

  async #takeLoan(limits: LimitSet, now: number, background: Background): Promise<void> {
    const { block } = limits;
    if (block === null) return;
    const id = `loan:${this.#options.newId()}`;
    const answer = await this.asks.ask(
      { type: "reserve", id, total: block, ttlMs: loanPolicy.reportWithinMs, lend: true },
      limits,
      background,
    );
    if (answer.kind === "answered" && answer.outcome.type === "granted") {
      if (this.#loan !== null) this.#end(this.#loan, this.#loanLimits ?? limits, background);
      const loan = new Loan(id, answer.outcome.receipt, block, now);
      this.#loan = loan;
      this.#loanLimits = limits;
      this.#noLoanBeforeMs = 0;
      await this.#tend(loan, limits, background);
      return;
    }
    this.#noLoanBeforeMs = this.#options.now() + notLentPauseMs;
    // It may have been granted all the same, after the time-out: it is given back unseen.
    if (answer.kind === "unreachable")
      this.reports.add(
        {
          type: "settle",
          id,
          receipt: null,
          sequence: 1,
          used: noAmounts,
          models: [],
          held: noAmounts,
          granted: noAmounts,
          ended: true,
        },
        limits,
        background,
      );
  }

  /** Reports while the loan lives and ends it in time, or early when nobody needs it. */
  async #tend(loan: Loan, limits: LimitSet, background: Background): Promise<void> {
    for (let takes = loan.takes; ; takes = loan.takes) {
      await pause(this.#options, tendMs);
      if (loan.hasEnded) return;
      const isUnused = loan.isIdle && loan.takes === takes;
      if (isUnused || this.#options.now() + tendMs > loan.usableUntilMs + loanPolicy.marginMs) {
        this.#end(loan, limits, background);
        return;
      }
      if (loan.isReportDue) this.reports.addLoan(loan, limits, background);
    }
  }

  #end(loan: Loan, limits: LimitSet, background: Background): void {
    if (loan.hasEnded) return;
    loan.end();
    if (this.#loan === loan) this.#loan = null;
    this.reports.addLoan(loan, limits, background);
  }
}
