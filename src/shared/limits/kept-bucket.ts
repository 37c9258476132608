import { applyBatch } from "./bucket.ts";
import {
  beyondMarks,
  exactSnapshot,
  forgetAtMs,
  isForgettable,
  leaseMs,
  markedSnapshot,
  mostPeriodDoublings,
} from "./bucket-durability.ts";
import type { BucketBatch, BucketInspection, BucketReply } from "./bucket-protocol.ts";
import { type Marks, restore } from "./bucket-snapshot.ts";
import { type BucketState, newBucket } from "./bucket-state.ts";
import { inspect } from "./bucket-view.ts";
import { levelKey, type LimitRule } from "./level.ts";
import { revoke, type RevokeCommand } from "./revocation.ts";
import { isBooked, reportBooked, usageDays, type UsageReport, usageReport } from "./usage-days.ts";

/** Three tiers' and some keys' of their own. */
const maxRules = 128;

/**
 * A bucket and what is on disk of it: says with each answer what must be written first. Every text it returns is to be
 * written before anything else is said; if that fails, `unwritten()`. Pure: the object around it has the disk and timers.
 */
export class KeptBucket {
  #bucket: BucketState;
  #marks: Marks | null = null;
  /** Levels whose marks were reached before their time: until then they have more head-room. */
  readonly #busyUntilMs = new Map<string, number>();
  /** Of the head-room of limits that have no shorter one beside them: see `HeadRooms`. */
  #periodDoublings = 0;
  /** Limits that were asked under lately, by level: head-room is for all of them, whoever asks next. */
  readonly #rules = new Map<string, LimitRule>();
  /** Something is not on disk, and only covered by its marks. */
  #changed = false;

  /** `keepsDays`: it is an org's, whose days its tenant's usage book is told. */
  constructor(snapshot: string | null, now: number, keepsDays = false) {
    this.#bucket = snapshot === null ? newBucket(now) : restore(snapshot, now);
    if (keepsDays) this.#bucket.days ??= usageDays();
  }

  /** `waits`: the reply may leave only after the next write, since a settlement in it is not on disk yet. */
  apply(
    batch: BucketBatch,
    now: number,
  ): { readonly reply: BucketReply; readonly write: string | null; readonly waits: boolean } {
    const reply = applyBatch(this.#bucket, batch, now);
    this.#note(batch.rules);
    let settles = false;
    let changes = false;
    for (const { type } of reply.outcomes) {
      // A duplicate may be one of a settlement that is not on disk yet: it waits like the first.
      if (type === "settled" || type === "duplicate") settles = true;
      if (type === "settled" || type === "granted") changes = true;
    }
    if (changes) this.#changed = true;
    const scarce = changes ? beyondMarks(this.#bucket, this.#marks, this.#rules, now) : null;
    for (const level of scarce?.levels ?? []) this.#busyUntilMs.set(level, now + leaseMs);
    const mustWrite = scarce !== null || (settles && this.#changed && batch.acknowledge === "now");
    const write = mustWrite ? this.#commit(now, scarce?.isPeriod === true) : null;
    return { reply, write, waits: settles && this.#changed && batch.acknowledge !== "unsaid" };
  }

  #note(rules: readonly LimitRule[]): void {
    if (this.#rules.size > maxRules) this.#rules.clear();
    for (const rule of rules) this.#rules.set(levelKey(rule), rule);
  }

  /** Revokes credentials of the bucket's owner; the text must be written before the answer leaves. */
  revoke(command: RevokeCommand, now: number): string {
    revoke(this.#bucket, command, now);
    // A bucket at rest stays exact: marks would cost it head-room for nothing.
    return this.#marks === null && !this.#changed ? exactSnapshot(this.#bucket, now) : this.commit(now);
  }

  revokes({ issuedAtMs, keyId }: { readonly issuedAtMs: number; readonly keyId: string | null }): boolean {
    const { epoch, revokedKeys } = this.#bucket;
    return issuedAtMs < epoch || (keyId !== null && revokedKeys.has(keyId));
  }

  /** What to write so that everything so far is on disk, with head-room to go on without. */
  commit(now: number): string {
    return this.#commit(now, false);
  }

  /** `isPeriodUp`: that head-room did not last until now. */
  #commit(now: number, isPeriodUp: boolean): string {
    for (const [level, untilMs] of this.#busyUntilMs) if (now >= untilMs) this.#busyUntilMs.delete(level);
    this.#periodDoublings = Math.min(
      mostPeriodDoublings,
      Math.max(0, this.#periodDoublings + (isPeriodUp ? 1 : -1)),
    );
    const rooms = { busy: new Set(this.#busyUntilMs.keys()), periodDoublings: this.#periodDoublings };
    const { text, marks } = markedSnapshot(this.#bucket, this.#rules, now, rooms);
    this.#marks = marks;
    this.#changed = false;
    return text;
  }

  /** What to write after some time without a call; `null`: the disk has it already. */
  rest(now: number): string | null {
    if (this.#marks === null && !this.#changed) return null;
    this.#marks = null;
    this.#changed = false;
    return exactSnapshot(this.#bucket, now);
  }

  /** The last text did not reach the disk. */
  unwritten(): void {
    this.#marks = null;
    this.#changed = true;
  }

  inspect(rules: readonly LimitRule[], now: number): BucketInspection {
    return inspect(this.#bucket, rules, now);
  }

  get owesUsage(): boolean {
    return this.#bucket.days !== null && !isBooked(this.#bucket.days);
  }

  /** What the usage book is to be told, and what must be written first: it must not know more than the disk. */
  reportUsage(now: number): { readonly write: string | null; readonly report: UsageReport } | null {
    const { days } = this.#bucket;
    if (days === null || isBooked(days)) return null;
    return { write: this.#changed ? this.commit(now) : null, report: usageReport(days) };
  }

  usageBooked(report: UsageReport, now: number): void {
    if (this.#bucket.days !== null) reportBooked(this.#bucket.days, report, now);
  }

  forgetAtMs(): number {
    return forgetAtMs(this.#bucket);
  }

  isForgettable(now: number): boolean {
    return isForgettable(this.#bucket, now);
  }
}
