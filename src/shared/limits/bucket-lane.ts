/**
 * What does this isolate know of one bucket? Its loan, what is asked of it, what it must still be told, and how it stood
 * when it last answered. One for each bucket in use; bounded by limit-desk.ts.
 */
import type { Background } from "../contracts/background.ts";
import type { Principal } from "../identity/principal.ts";
import { AskLine } from "./ask-line.ts";
import type { BucketAddress, LimitScope } from "./bucket-name.ts";
import { type BucketStanding, emptyBatch } from "./bucket-protocol.ts";
import type { LimitSet } from "./defaults.ts";
import { askTimeoutMs, type DeskOptions, pause } from "./desk-options.ts";
import { Loan } from "./loan.ts";
import { loanPolicy } from "./loan-policy.ts";
import { UnansweredAdmissions } from "./open-admissions.ts";
import { NearLoans } from "./regional/near-loans.ts";
import type { Place } from "./regional/region.ts";
import type { StockAddress } from "./regional/region-protocol.ts";
import { ReportLine } from "./report-line.ts";
import { SeenRevocations } from "./revocation.ts";
import type { Tier } from "./tier.ts";
import { unseenReturn } from "./unseen-return.ts";

/** A loan is taken if a bucket is asked this often within a second: with fewer calls it would lie idle. */
const busyAsks = 3;
/** How often a loan's holder tells the bucket what was used, and whether the loan is still wanted. */
const tendMs = 2_000;
/** The wait after the bucket refused to lend. */
const notLentPauseMs = 1_000;

export class BucketLane {
  readonly scope: LimitScope;
  readonly asks: AskLine;
  readonly reports: ReportLine;
  /** Loans from the stock of this isolate's region, where the bucket is far: an org's alone, since a user is in one place. */
  readonly near: NearLoans | null;
  readonly #options: DeskOptions;
  readonly #address: BucketAddress;
  readonly #revocations = new SeenRevocations();
  /** Let in while the bucket could not be reached. */
  readonly unanswered = new UnansweredAdmissions();
  #loan: Loan | null = null;
  /** The limits that the loan was granted under: requests with other limits ask the bucket. */
  #loanLimits: LimitSet | null = null;
  /** It came from a region's stock. */
  #isLoanDrawn = false;
  /** The bucket's last answer by limits: each tier, and each key with limits of its own, has another. */
  readonly #standings = new WeakMap<LimitSet, { readonly standing: BucketStanding; readonly atMs: number }>();
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
      (reply, askedAtMs, limits) => {
        this.#standings.set(limits, { standing: reply.standing, atMs: askedAtMs });
        this.near?.noteRoundTrip(options.now() - askedAtMs);
        this.unanswered.answered(reply.standing);
        this.#revocations.note(reply, askedAtMs);
      },
      (limits) => this.reports.waiting(limits),
    );
    this.reports = new ReportLine(options, address, (reply, askedAtMs) =>
      this.#revocations.note(reply, askedAtMs),
    );
    this.near =
      scope === "user"
        ? null
        : new NearLoans(options, address, {
            loan: (loan, limits, background) => this.#receive(loan, limits, background),
            heard: (heard, askedAtMs, limits) => {
              this.#revocations.note(heard, askedAtMs);
              if (askedAtMs < (this.#standings.get(limits)?.atMs ?? 0)) return;
              this.#standings.set(limits, { standing: heard.standing, atMs: askedAtMs });
            },
          });
  }

  now(): number {
    return this.#options.now();
  }

  /** The bucket's last answer under these limits; what this isolate holds on loan counts as left. */
  standingUnder(limits: LimitSet): BucketStanding | null {
    return this.#standings.get(limits)?.standing ?? null;
  }

  /** By the bucket's last answer: under a loan, at most as old as the loan. */
  revokes(principal: Principal): boolean {
    return this.#revocations.revokes(principal);
  }

  /** `false`: the bucket has not answered within `maxAgeMs`. */
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

  /** What is on loan under these limits. */
  loanUnder(limits: LimitSet): Loan | null {
    return this.#loanLimits === limits ? this.#loan : null;
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
      // A small loan that was drawn for a request or two is not followed by a large one.
      const isWanted = !this.#isLoanDrawn || loan.takes >= busyAsks;
      if (isWanted && now >= this.#noLoanBeforeMs && loan.isLow(now))
        this.#askForLoan(limits, now, background);
      return loan;
    }
    if (now >= loan.usableUntilMs) this.#end(loan, limits, background);
    return null;
  }

  /** The stock to draw from, if one is nearer than the bucket and this isolate needs a loan; else `null`. */
  stockNearby(place: Place, tier: Tier, limits: LimitSet, now: number): StockAddress | null {
    const at = this.near?.stockAt(place, tier, limits) ?? null;
    if (at === null) return null;
    const hasLoan = this.#loan !== null && this.#loanLimits === limits && !this.#loan.isLow(now);
    return hasLoan ? null : at;
  }

  /** A loan came from the stock. If there is one already by now, it is given back. */
  #receive(loan: Loan, limits: LimitSet, background: Background): void {
    const now = this.#options.now();
    const current = this.#loan;
    const isNeeded = current === null || this.#loanLimits !== limits || current.isLow(now);
    if (!isNeeded || now >= loan.usableUntilMs) {
      this.#end(loan, limits, background);
      return;
    }
    if (current !== null) this.#end(current, this.#loanLimits ?? limits, background);
    this.#hold(loan, limits, true);
    background.run("limits-loan", this.#tend(loan, limits, background));
  }

  #hold(loan: Loan, limits: LimitSet, isDrawn: boolean): void {
    this.#loan = loan;
    this.#loanLimits = limits;
    this.#isLoanDrawn = isDrawn;
  }

  /** Notes that the bucket is about to be asked for a request, and asks for a loan with it if that pays off. */
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
      this.#hold(loan, limits, false);
      this.#noLoanBeforeMs = 0;
      await this.#tend(loan, limits, background);
      return;
    }
    this.#noLoanBeforeMs = this.#options.now() + notLentPauseMs;
    // It may have been granted all the same, after the time-out: it is given back unseen.
    if (answer.kind === "unreachable") this.reports.add(unseenReturn(id), limits, background);
  }

  /** Reports while the loan lives and ends it in time, or early if it is not used. */
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
