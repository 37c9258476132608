/**
 * What must be on disk, so that an eviction or a crash never refills a bucket, without a write for every request?
 *
 * Two kinds of snapshot. An *exact* one is written when the bucket falls idle: an orderly eviction loses nothing. A
 * *marked* one is written before an answer leaves, and says more than is true: levels and counts plus head-room, valid for
 * a lease. While memory stays below the marks and within the lease, nothing is written. After a crash the marks are
 * taken for the truth: at most the head-room is lost to the limit, never gained, and it leaks away like any charge. What
 * was granted since the snapshot is forgotten, but its receipts are known to be lost: their settlements count as new, once.
 */
import * as z from "zod";
import { type BucketState, newBucket, sweep } from "./bucket-state.ts";
import type { LimitRule } from "./level.ts";

/** What the marked snapshot on disk covers; `null` where the one on disk is exact, or there is none. */
export interface Marks {
  readonly levels: ReadonlyMap<string, number>;
  readonly requests: number;
  readonly tokens: number;
  readonly untilMs: number;
}

/** Head-room of one write, as a share of the limit: at most so much of it is lost by a crash, and 8 writes fill a window. */
const headShare = 1 / 8;
/** Head-room of the counts where the limits are small or missing: costs no limit anything. */
const leastHead = { requests: 16, tokens: 16_384 };
const headWithoutLimit = { requests: 1_000, tokens: 1_000_000 };
/** How long marks are valid. Shorter than any window; one write per lease at least while the bucket is in use. */
export const leaseMs = 30_000;
/** Receipts of one life in memory; a crash skips to the next multiple. 2^22 lives of 2^31 grants fit a double. */
const receiptsPerLife = 2 ** 31;
/** Counts of a bucket that nobody used for so long are forgotten, once its limits are whole and nothing is open. */
export const rememberMs = 24 * 60 * 60_000;

/** Does what is on disk cover the bucket as it now is? If not, a marked snapshot is written before the answer leaves. */
export function isCovered(bucket: BucketState, marks: Marks | null, now: number): boolean {
  if (marks === null || now >= marks.untilMs) return false;
  if (bucket.charged.requests > marks.requests || bucket.charged.tokens > marks.tokens) return false;
  for (const [name, level] of bucket.levels) {
    if (level.level > (marks.levels.get(name) ?? 0)) return false;
  }
  return true;
}

/** The snapshot to write before going on, with head-room under these limits. Also forgets what is over. */
export function markedSnapshot(
  bucket: BucketState,
  rules: readonly LimitRule[],
  now: number,
): { readonly text: string; readonly marks: Marks } {
  sweep(bucket, now);
  const levels = new Map<string, number>();
  for (const [name, level] of bucket.levels) levels.set(name, level.level);
  for (const rule of rules) {
    const level = levels.get(rule.name);
    if (level === undefined) continue;
    const head = Math.ceil(rule.capacity * headShare);
    levels.set(rule.name, Math.max(level, Math.min(rule.capacity, level + head)));
  }
  const marks: Marks = {
    levels,
    requests: bucket.charged.requests + headOf("requests", rules),
    tokens: bucket.charged.tokens + headOf("tokens", rules),
    untilMs: now + leaseMs,
  };
  return { text: JSON.stringify(encode(bucket, marks)), marks };
}

/** The snapshot to write when the bucket falls idle. */
export function exactSnapshot(bucket: BucketState, now: number): string {
  sweep(bucket, now);
  return JSON.stringify(encode(bucket, null));
}

/** When a bucket that nobody uses from now on can be forgotten, in milliseconds since 1970. */
export function forgetAtMs(bucket: BucketState): number {
  let atMs = bucket.usedAtMs + rememberMs;
  for (const level of bucket.levels.values()) atMs = Math.max(atMs, level.wholeAtMs);
  for (const untilMs of bucket.revokedKeys.values()) atMs = Math.max(atMs, untilMs);
  for (const reservation of bucket.open.values()) atMs = Math.max(atMs, reservation.expiresAtMs + rememberMs);
  return atMs;
}

/** Is there nothing left that anyone could miss? An epoch is kept for ever: without it a revoked credential would live again. */
export function isForgettable(bucket: BucketState, now: number): boolean {
  return bucket.epoch === 0 && forgetAtMs(bucket) <= now;
}

function headOf(unit: "requests" | "tokens", rules: readonly LimitRule[]): number {
  const capacities = rules.filter((rule) => rule.unit === unit).map((rule) => rule.capacity * headShare);
  return capacities.length === 0
    ? headWithoutLimit[unit]
    : Math.ceil(Math.max(leastHead[unit], ...capacities));
}

const count = z.number().min(0);
const pair = z.tuple([count, count]);
const snapshotSchema = z.strictObject({
  version: z.literal(1),
  since_ms: z.number(),
  used_at_ms: z.number(),
  receipt: count,
  epoch: count,
  /** id, until when it is named. Absent: none. */
  revoked_keys: z.array(z.tuple([z.string(), z.number()])).optional(),
  charged: pair,
  settled: pair,
  unsettled: pair,
  unaccounted: pair,
  /** name, level, drained, whole at */
  levels: z.array(z.tuple([z.string(), count, count, z.number()])),
  /** Until when the levels have leaked: of each limit, if exact; of all, the lease's end, if marked. */
  levels_at: z.array(z.number()),
  /** id, receipt, held, used, sequence, lent, expires at, tails */
  open: z.array(
    z.tuple([
      z.string(),
      count,
      pair,
      pair,
      count,
      z.boolean(),
      z.number(),
      z.record(z.string(), z.number()),
    ]),
  ),
  closed: z.array(z.tuple([z.string(), z.number()])),
  lost: z.array(z.tuple([count, count, z.number()])),
  /** Marked: what may have been charged since. Absent: exact. */
  charged_mark: pair.optional(),
});
type Snapshot = z.infer<typeof snapshotSchema>;

function encode(bucket: BucketState, marks: Marks | null): Snapshot {
  const levels = [...bucket.levels];
  return {
    version: 1,
    since_ms: bucket.sinceMs,
    used_at_ms: bucket.usedAtMs,
    receipt: bucket.receipt,
    epoch: bucket.epoch,
    ...(bucket.revokedKeys.size > 0 && { revoked_keys: [...bucket.revokedKeys] }),
    charged: [bucket.charged.requests, bucket.charged.tokens],
    settled: [bucket.settled.requests, bucket.settled.tokens],
    unsettled: [bucket.unsettled.requests, bucket.unsettled.tokens],
    unaccounted: [bucket.unaccounted.requests, bucket.unaccounted.tokens],
    levels: levels.map(([name, level]) => [
      name,
      marks?.levels.get(name) ?? level.level,
      level.drained,
      level.wholeAtMs,
    ]),
    levels_at: levels.map(([, level]) => (marks === null ? level.at : Math.max(level.at, marks.untilMs))),
    open: [...bucket.open].map(([id, reservation]) => [
      id,
      reservation.receipt,
      [reservation.held.requests, reservation.held.tokens],
      [reservation.used.requests, reservation.used.tokens],
      reservation.sequence,
      reservation.lent,
      reservation.expiresAtMs,
      reservation.tails,
    ]),
    closed: [...bucket.closed],
    lost: bucket.lost.map((range) => [range.after, range.upTo, range.atMs]),
    ...(marks === null ? {} : { charged_mark: [marks.requests, marks.tokens] as [number, number] }),
  };
}

/** The bucket as the snapshot has it; `now` only dates what a crash lost. Throws on a snapshot that this code never wrote. */
export function restore(text: string, now: number): BucketState {
  const snapshot = snapshotSchema.parse(JSON.parse(text));
  const bucket = newBucket(snapshot.since_ms);
  bucket.usedAtMs = snapshot.used_at_ms;
  bucket.receipt = snapshot.receipt;
  bucket.epoch = snapshot.epoch;
  bucket.revokedKeys = new Map(snapshot.revoked_keys);
  const crashed = snapshot.charged_mark;
  bucket.charged = tally(crashed ?? snapshot.charged);
  bucket.settled = tally(snapshot.settled);
  bucket.unsettled = tally(snapshot.unsettled);
  bucket.unaccounted = tally(snapshot.unaccounted);
  for (const [index, [name, level, drained, wholeAtMs]] of snapshot.levels.entries())
    bucket.levels.set(name, { level, at: snapshot.levels_at[index] ?? now, drained, wholeAtMs });
  for (const [id, receipt, held, used, sequence, lent, expiresAtMs, tails] of snapshot.open) {
    // Nobody knows how much leaked between the snapshot and the crash: what was open then gets nothing back from levels.
    bucket.open.set(id, {
      receipt,
      held: tally(held),
      used: tally(used),
      sequence,
      lent,
      expiresAtMs,
      tails: crashed === undefined ? tails : {},
    });
    for (const unit of ["requests", "tokens"] as const) {
      const amount = tally(held)[unit];
      bucket.reserved[unit] += amount;
      if (lent) bucket.lent[unit] += amount;
    }
  }
  for (const [id, atMs] of snapshot.closed) bucket.closed.set(id, atMs);
  bucket.lost = snapshot.lost.map(([after, upTo, atMs]) => ({ after, upTo, atMs }));
  if (crashed !== undefined) {
    bucket.unaccounted.requests += crashed[0] - snapshot.charged[0];
    bucket.unaccounted.tokens += crashed[1] - snapshot.charged[1];
    const nextLife = (Math.floor(snapshot.receipt / receiptsPerLife) + 1) * receiptsPerLife;
    bucket.lost.push({ after: snapshot.receipt, upTo: nextLife, atMs: now });
    bucket.receipt = nextLife;
  }
  return bucket;
}

function tally(amounts: readonly [number, number]): { requests: number; tokens: number } {
  return { requests: amounts[0], tokens: amounts[1] };
}
