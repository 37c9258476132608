import { DurableObject } from "cloudflare:workers";
import type { BucketBatch, BucketInspection, BucketReply } from "../../src/shared/limits/bucket-protocol.ts";
import { KeptBucket } from "../../src/shared/limits/kept-bucket.ts";
import type { LimitRule } from "../../src/shared/limits/level.ts";
import type { RevokeCommand } from "../../src/shared/limits/revocation.ts";
import {
  type CloseSocket,
  type OpenSocket,
  type OpenSocketOutcome,
  sessionVersion,
} from "../../src/shared/contracts/session.ts";
import { BookKeeper } from "./book-keeper.ts";
import { BucketStore } from "./bucket-store.ts";
import { OpenSockets } from "./open-sockets.ts";

/** Settlements wait at most so long for the write that makes them durable, all of them for one. */
const groupCommitMs = 1_000;
/** After so long without a call the exact state is written, so that an orderly eviction loses nothing. */
const idleMs = 3_000;
/** Sockets are told of a revocation at once; should that be lost, or one be out of reach, the alarm tells again so much later. */
const tellAgainMs = 2_500;

/** A book that could not be told is told again so much later. */
const bookAgainMs = 30_000;

/**
 * One user's or one org's bucket. All rules are in src/shared/limits; here are the clock, the disk and the timers alone.
 * A pending timer keeps the object in memory, so that the idle write comes before an eviction; what a kill loses,
 * bucket-durability.ts bounds.
 */
export class TokenBucket extends DurableObject {
  readonly #store: BucketStore;
  readonly #sockets: OpenSockets;
  readonly #keeper: BookKeeper;
  #bucket: KeptBucket;
  #alarmEnsured = false;
  #watching = false;
  #lastCallMs = 0;
  /** Those who wait for the next write. */
  #commit: PromiseWithResolvers<void> | null = null;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = new BucketStore(ctx.storage);
    this.#sockets = new OpenSockets(ctx.storage.kv, env);
    this.#keeper = new BookKeeper(ctx.id, env);
    this.#bucket = new KeptBucket(this.#store.read(), Date.now(), this.#keeper.keepsDays);
    // Its first write asks to be woken within a minute: sockets may be waiting for less than that (`tellAgainMs`).
    if (this.#keeper.keepsDays) void ctx.blockConcurrencyWhile(() => this.#store.recallAlarm());
  }

  /** Every operation on a bucket: see src/shared/limits/bucket-protocol.ts. */
  apply(batch: BucketBatch): BucketReply | Promise<BucketReply> {
    const now = Date.now();
    const { reply, write, waits } = this.#bucket.apply(batch, now);
    this.#lastCallMs = now;
    if (write !== null) this.#write(write);
    this.#watchIdle();
    return waits ? this.#nextCommit().then(() => reply) : reply;
  }

  /** Revokes credentials of this user or org; told only when it is on disk. See src/shared/limits/revocation.ts. */
  revoke(command: RevokeCommand): { readonly revokedAtMs: number } {
    const now = Date.now();
    this.#lastCallMs = now;
    const keyId = command.what === "key" ? command.keyId : null;
    // One transaction, alarm and all: nothing awaits in between.
    this.#write(this.#bucket.revoke(command, now));
    if (this.#sockets.revoke({ epoch: keyId === null ? now : 0, keyId })) {
      this.#store.wakeBy(now + tellAgainMs);
      this.ctx.waitUntil(this.#sockets.tellRevoked(now));
    }
    this.#watchIdle();
    return { revokedAtMs: now };
  }

  /** A socket of this user or org: told of revocations from now on. */
  openSocket(message: OpenSocket, most: number): OpenSocketOutcome {
    if (message.v !== sessionVersion)
      throw new Error(`version ${String(message.v)} of a socket is not known`);
    const now = Date.now();
    if (this.#bucket.revokes(message)) return { result: "revoked" };
    if (!this.#sockets.add(message, most, now)) {
      this.ctx.waitUntil(this.#sockets.sweep(now));
      return { result: "full" };
    }
    this.ctx.waitUntil(this.#store.ensureAlarm(Math.max(this.#bucket.forgetAtMs(), message.untilMs)));
    return { result: "open" };
  }

  closeSocket({ session }: CloseSocket): void {
    this.#sockets.remove(session);
  }

  /** What `GET /v1/usage` and admins see. Writes nothing. */
  inspect(rules: readonly LimitRule[]): BucketInspection {
    return this.#bucket.inspect(rules, Date.now());
  }

  /**
   * Tells sockets that have not heard of their revocation, and the tenant's usage book what it has not heard. Forgets a bucket
   * that nobody used for long and that has nothing to remember; otherwise looks again when it may.
   */
  override async alarm(): Promise<void> {
    this.#store.rung();
    const [told, booked] = await Promise.all([this.#sockets.tellRevoked(Date.now()), this.#bookUsage()]);
    const now = Date.now();
    if (!told) this.#store.wakeBy(now + tellAgainMs);
    if (!booked) this.#store.wakeBy(now + bookAgainMs);
    // Meanwhile more may have been counted; its write has asked for the next alarm.
    if (!told || !booked || this.#bucket.owesUsage) return;
    if (this.#bucket.isForgettable(now) && this.#sockets.lastUntilMs() <= now) {
      this.#bucket = new KeptBucket(null, now, this.#keeper.keepsDays);
      this.#alarmEnsured = false;
      await this.#store.forget();
      return;
    }
    await this.#store.ensureAlarm(Math.max(this.#bucket.forgetAtMs(), now + 60_000));
  }

  /** @returns whether the book knows all that was counted when this began */
  async #bookUsage(): Promise<boolean> {
    const due = this.#bucket.reportUsage(Date.now());
    if (due === null) return true;
    if (due.write !== null) this.#write(due.write);
    const isBooked = await this.#keeper.tell(due.report);
    if (isBooked) this.#bucket.usageBooked(due.report, Date.now());
    return isBooked;
  }

  #write(snapshot: string): void {
    try {
      this.#store.write(snapshot);
    } catch (error) {
      this.#bucket.unwritten();
      throw error;
    }
    this.#commit?.resolve();
    this.#commit = null;
    // In one transaction with the counts: a kill loses neither or both.
    if (this.#bucket.owesUsage) this.#store.wakeBy(this.#keeper.nextTellingMs(Date.now()));
    if (this.#alarmEnsured) return;
    this.#alarmEnsured = true;
    this.ctx.waitUntil(this.#store.ensureAlarm(this.#bucket.forgetAtMs()));
  }

  /** Resolves with the next write, which comes within `groupCommitMs`. */
  #nextCommit(): Promise<void> {
    if (this.#commit) return this.#commit.promise;
    const commit = Promise.withResolvers<void>();
    this.#commit = commit;
    setTimeout(() => {
      if (this.#commit !== commit) return;
      try {
        this.#write(this.#bucket.commit(Date.now()));
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
    if (this.#watching) return;
    this.#watching = true;
    const look = (): void => {
      const leftMs = this.#lastCallMs + idleMs - Date.now();
      if (leftMs > 0) {
        setTimeout(look, leftMs);
        return;
      }
      this.#watching = false;
      const snapshot = this.#bucket.rest(Date.now());
      if (snapshot !== null) this.#write(snapshot);
    };
    setTimeout(look, idleMs);
  }
}
