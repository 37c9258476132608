import { DurableObject } from "cloudflare:workers";
import { applyBatch } from "../../src/shared/limits/bucket.ts";
import {
  exactSnapshot,
  forgetAtMs,
  isCovered,
  isForgettable,
  markedSnapshot,
  type Marks,
  restore,
} from "../../src/shared/limits/bucket-durability.ts";
import type { BucketBatch, BucketInspection, BucketReply } from "../../src/shared/limits/bucket-protocol.ts";
import { type BucketState, newBucket } from "../../src/shared/limits/bucket-state.ts";
import { inspect } from "../../src/shared/limits/bucket-view.ts";
import type { LimitRule } from "../../src/shared/limits/level.ts";
import { BucketStore } from "./bucket-store.ts";

/** Settlements wait at most so long for the write that makes them durable, all of them for one. */
const groupCommitMs = 1_000;
/** After so long without a call the exact state is written, so that an orderly eviction loses nothing. */
const idleMs = 3_000;

/**
 * One user's or one org's bucket. All rules are in src/shared/limits; here are the clock, the disk and the timers alone.
 * A pending timer keeps the object in memory, so that the idle write comes before an eviction; what a kill loses,
 * bucket-durability.ts bounds.
 */
export class TokenBucket extends DurableObject {
  readonly #store: BucketStore;
  #bucket: BucketState;
  /** What the snapshot on disk covers. */
  #marks: Marks | null = null;
  #rules: readonly LimitRule[] = [];
  #changed = false;
  #alarmEnsured = false;
  #idle = false;
  #lastCallMs = 0;
  #commit: PromiseWithResolvers<void> | null = null;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = new BucketStore(ctx.storage);
    const snapshot = this.#store.read();
    this.#bucket = snapshot === null ? newBucket(Date.now()) : restore(snapshot, Date.now());
  }

  /** Every operation on a bucket: see src/shared/limits/bucket-protocol.ts. */
  apply(batch: BucketBatch): BucketReply | Promise<BucketReply> {
    const now = Date.now();
    const reply = applyBatch(this.#bucket, batch, now);
    this.#rules = batch.rules;
    this.#lastCallMs = now;
    let settled = false;
    let changed = false;
    for (const outcome of reply.outcomes) {
      if (outcome.type === "settled") settled = true;
      if (outcome.type === "settled" || outcome.type === "granted") changed = true;
      // A duplicate may be one of a settlement that is not durable yet: it waits for the same write.
      if (outcome.type === "duplicate") settled = true;
    }
    if (changed) this.#changed = true;
    if ((settled && this.#changed && batch.acknowledge === "now") || (changed && !this.#covers(now)))
      this.#write(now);
    if (changed) this.#watchIdle();
    if (!settled || !this.#changed) return reply;
    return this.#nextCommit().then(() => reply);
  }

  /** What `GET /v1/usage` and admins see. Writes nothing. */
  inspect(rules: readonly LimitRule[]): BucketInspection {
    return inspect(this.#bucket, rules, Date.now());
  }

  /** Forgets a bucket that nobody used for long and that has nothing to remember; otherwise looks again when it may. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    if (isForgettable(this.#bucket, now)) {
      this.#bucket = newBucket(now);
      this.#marks = null;
      this.#changed = false;
      this.#alarmEnsured = false;
      await this.#store.forget();
      return;
    }
    await this.#store.ensureAlarm(Math.max(forgetAtMs(this.#bucket), now + 60_000));
  }

  #covers(now: number): boolean {
    return isCovered(this.#bucket, this.#marks, now);
  }

  #write(now: number): void {
    const { text, marks } = markedSnapshot(this.#bucket, this.#rules, now);
    this.#store.write(text);
    this.#marks = marks;
    this.#committed();
  }

  #committed(): void {
    this.#changed = false;
    this.#commit?.resolve();
    this.#commit = null;
    if (this.#alarmEnsured) return;
    this.#alarmEnsured = true;
    this.ctx.waitUntil(this.#store.ensureAlarm(forgetAtMs(this.#bucket)));
  }

  /** Resolves with the next write, which comes within `groupCommitMs`. */
  #nextCommit(): Promise<void> {
    if (this.#commit) return this.#commit.promise;
    const commit = Promise.withResolvers<void>();
    this.#commit = commit;
    setTimeout(() => {
      if (this.#commit !== commit) return;
      try {
        this.#write(Date.now());
      } catch (error) {
        // Those who wait are told, and settle again.
        this.#commit = null;
        commit.reject(error);
      }
    }, groupCommitMs);
    return commit.promise;
  }

  /** One timer, not one a call: it looks how long ago the last call was, and goes on waiting for the rest. */
  #watchIdle(): void {
    if (this.#idle) return;
    this.#idle = true;
    const look = (): void => {
      const leftMs = this.#lastCallMs + idleMs - Date.now();
      if (leftMs > 0) {
        setTimeout(look, leftMs);
        return;
      }
      this.#idle = false;
      if (this.#marks === null && !this.#changed) return;
      this.#store.write(exactSnapshot(this.#bucket, Date.now()));
      this.#marks = null;
      this.#committed();
    };
    setTimeout(look, idleMs);
  }
}
