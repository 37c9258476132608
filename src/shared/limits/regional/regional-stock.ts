/**
 * Which part of an org's limits does a region hold? A few small loans from the org's bucket, borrowed ahead of need and handed out one by
 * one to isolates nearby, so that they need not ask a bucket on another continent. An isolate uses such a loan, and reports it to the
 * bucket, like any other: the region keeps no accounts. Each loan goes to one isolate only; unused ones are given back. The stock is in
 * memory: what is lost with it is forfeited, like the loan of an isolate that died. No Cloudflare, no storage.
 */
import { AskLine } from "../ask-line.ts";
import type { Background } from "../../contracts/background.ts";
import type { BucketAddress } from "../bucket-name.ts";
import { type BucketReply, noAmounts } from "../bucket-protocol.ts";
import type { LimitSet } from "../defaults.ts";
import { type DeskOptions, pause } from "../desk-options.ts";
import { Loan } from "../loan.ts";
import { loanPolicy } from "../loan-policy.ts";
import { RecentMap } from "../recent-map.ts";
import { ReportLine } from "../report-line.ts";
import type { DrawReply, DrawRequest } from "./region-protocol.ts";
import { unseenReturn } from "../unseen-return.ts";
import { stockPolicy } from "./stock-policy.ts";

/** Twice as many draws are known again by their id. A repetition comes within a second. */
const rememberedDraws = 256;
/** Demand is what was drawn within so long: also the time in which a loan is borrowed from far away. */
const demandMs = 1_000;
const renewAgeMs = stockPolicy.maxAgeMs - stockPolicy.tendMs - demandMs;
/** The wait after the bucket refused to lend, or did not answer. */
const pauseMs = 1_000;

interface StoredLoan {
  readonly loan: Loan;
  readonly askedAtMs: number;
}

export type StockOptions = Omit<DeskOptions, "regions">;

export class RegionalStock {
  readonly #options: StockOptions;
  readonly #background: Background;
  readonly #bucket: BucketAddress;
  readonly #asks: AskLine;
  readonly #reports: ReportLine;
  /** The terms of the last draw. */
  #limits: LimitSet;
  /** Oldest first. */
  #stored: StoredLoan[] = [];
  readonly #handedOut = new RecentMap<StoredLoan>(rememberedDraws);
  #borrowing = 0;
  #noBorrowingBeforeMs = 0;
  #most = 0;
  #drawnAtMs: number[] = [];
  #lastDrawMs = 0;
  #isTended = false;
  #heard: { readonly reply: BucketReply; readonly askedAtMs: number } | null = null;

  constructor(options: StockOptions, background: Background, { bucket, terms, block }: DrawRequest) {
    this.#options = options;
    this.#background = background;
    this.#bucket = bucket;
    this.#limits = { ...terms, block, stock: null };
    const hear = (reply: BucketReply, askedAtMs: number): void => {
      if (this.#heard === null || askedAtMs >= this.#heard.askedAtMs) this.#heard = { reply, askedAtMs };
    };
    this.#reports = new ReportLine(options, bucket, hear);
    this.#asks = new AskLine(options, bucket, hear, (limits) => this.#reports.waiting(limits));
  }

  /** Answers at once, from what is in store, and borrows behind the answer. */
  draw(request: DrawRequest): DrawReply {
    if (request.bucket.name !== this.#bucket.name)
      throw new Error(`${request.bucket.name} is not the bucket that this stock borrows from`);
    const now = this.#options.now();
    this.#reports.resume(this.#background);
    this.#note(request, now);
    let given = this.#handedOut.get(request.id);
    if (given === undefined) {
      this.#returnAged(now);
      given = this.#stored.shift();
      if (given !== undefined) this.#handedOut.set(request.id, given);
      this.#drawnAtMs = [...this.#drawnAtMs.filter((atMs) => atMs > now - demandMs), now];
      this.#lastDrawMs = now;
      this.#borrow(now);
      this.#tend();
    }
    return {
      version: 1,
      loan:
        given === undefined
          ? null
          : {
              id: given.loan.id,
              receipt: given.loan.receipt,
              block: given.loan.block,
              ageMs: now - given.askedAtMs,
            },
      heard: this.#hearsay(now),
    };
  }

  /** Settings that change are in effect for a loan when it ends, as for any. */
  #note({ terms, block, most }: DrawRequest, now: number): void {
    this.#most = most;
    if (JSON.stringify([terms, block]) !== JSON.stringify([termsOf(this.#limits), this.#limits.block])) {
      this.#limits = { ...terms, block, stock: null };
      this.#noBorrowingBeforeMs = Math.min(this.#noBorrowingBeforeMs, now);
    }
  }

  #hearsay(now: number): DrawReply["heard"] {
    if (this.#heard === null) return null;
    const { standing, epoch, revokedKeys } = this.#heard.reply;
    return {
      standing,
      epoch,
      ...(revokedKeys === undefined ? {} : { revokedKeys }),
      agoMs: now - this.#heard.askedAtMs,
    };
  }

  /**
   * So many that what is drawn while they are borrowed finds one, and one more. Those that will be too old when they are looked
   * after next are replaced beforehand.
   */
  #borrow(now: number): void {
    if (now < this.#noBorrowingBeforeMs) return;
    const wanted = this.#drawnAtMs.filter((atMs) => atMs > now - demandMs).length + 1;
    const lasting = this.#stored.filter(({ askedAtMs }) => now - askedAtMs <= renewAgeMs).length;
    const most = Math.min(wanted - lasting, this.#most - this.#stored.length);
    while (this.#borrowing < most) {
      this.#borrowing += 1;
      this.#background.run("stock-borrow", this.#borrowOne(now));
    }
  }

  async #borrowOne(askedAtMs: number): Promise<void> {
    const id = `loan:${this.#options.newId()}`;
    const limits = this.#limits;
    const block = limits.block ?? noAmounts;
    const answer = await this.#asks.ask(
      { type: "reserve", id, total: block, ttlMs: loanPolicy.reportWithinMs, lend: true },
      limits,
      this.#background,
    );
    this.#borrowing -= 1;
    if (answer.kind === "answered" && answer.outcome.type === "granted") {
      this.#stored.push({ loan: new Loan(id, answer.outcome.receipt, block, askedAtMs), askedAtMs });
      this.#stored.sort((left, right) => left.askedAtMs - right.askedAtMs);
      return;
    }
    this.#noBorrowingBeforeMs = this.#options.now() + pauseMs;
    // It may have been lent all the same: it is given back unseen.
    if (answer.kind === "unreachable") this.#reports.add(unseenReturn(id), limits, this.#background);
  }

  #returnAged(now: number): void {
    const aged = this.#stored.filter(({ askedAtMs }) => now - askedAtMs > stockPolicy.maxAgeMs);
    if (aged.length === 0) return;
    this.#stored = this.#stored.filter(({ askedAtMs }) => now - askedAtMs <= stockPolicy.maxAgeMs);
    for (const { loan } of aged) this.#giveBack(loan);
  }

  #giveBack(loan: Loan): void {
    loan.end();
    this.#reports.addLoan(loan, this.#limits, this.#background);
  }

  /** Maintains the stock while requests may come, then gives all of it back. One timer for as long as there is a stock. */
  #tend(): void {
    if (this.#isTended) return;
    this.#isTended = true;
    this.#background.run("stock-tend", this.#tendWhileWanted());
  }

  async #tendWhileWanted(): Promise<void> {
    for (;;) {
      await pause(this.#options, stockPolicy.tendMs);
      const now = this.#options.now();
      this.#returnAged(now);
      if (now - this.#lastDrawMs <= stockPolicy.keepMs) this.#borrow(now);
      else if (this.#borrowing === 0) break;
    }
    for (const { loan } of this.#stored.splice(0)) this.#giveBack(loan);
    this.#isTended = false;
  }
}

function termsOf({ rules, leaseMs, timeZone }: LimitSet): DrawRequest["terms"] {
  return { rules, leaseMs, timeZone };
}
