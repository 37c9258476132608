/** How is a bucket written down, and read again after an eviction or a crash? What is written when: bucket-durability.ts. */
import * as z from "zod";
import type { Amounts } from "./bucket-protocol.ts";
import {
  add,
  type BucketState,
  lostSlotsId,
  moveSlots,
  newBucket,
  nothing,
  type OpenReservation,
  slotsHeld,
  type Tally,
} from "./bucket-state.ts";
import type { ModelTally } from "./model-counts.ts";
import { usageDays } from "./usage-days.ts";

/** What a marked snapshot covers beyond what it knows. */
export interface Marks {
  readonly levels: ReadonlyMap<string, { readonly level: number; readonly period: number | null }>;
  readonly charged: Amounts;
  /** Requests that may run at once, by the limit on them. */
  readonly slots: ReadonlyMap<string, number>;
  /** The longest lease of a slot. */
  readonly leaseMs: number;
  readonly untilMs: number;
}

/** Receipts of one life in memory; a crash skips to the next multiple. 2^22 lives of 2^31 grants fit a double. */
const receiptsPerLife = 2 ** 31;

const count = z.lazy(() => z.number().min(0));
/** What newer code has added behind the places that this code knows, in any row. */
const more = z.unknown();
/** Requests, tokens, slots, microdollars. The first snapshots had the first two alone. */
const amounts = z.lazy(() => z.union([z.tuple([count, count, count, count], more), z.tuple([count, count])]));
const modelRow = z.lazy(() => z.tuple([count, count, count], more));
/** What only newer code knows is not read, so that a roll-back has its buckets; it is gone with the next write. */
const snapshotSchema = z.lazy(() =>
  z.object({
    version: z.literal(1),
    since_ms: z.number(),
    used_at_ms: z.number(),
    receipt: count,
    epoch: count,
    /** id, until when it is named. Absent: none. */
    revoked_keys: z.array(z.tuple([z.string(), z.number()], more)).optional(),
    charged: amounts,
    settled: amounts,
    unsettled: amounts,
    unaccounted: amounts,
    /** name, level, drained, whole at, whether it is a calendar's */
    levels: z.array(z.tuple([z.string(), count, count, z.number(), z.boolean().optional()], more)),
    /** Until when the levels have leaked: of each limit, if exact; of all, the lease's end, if marked. Of a calendar's, its period. */
    levels_at: z.array(z.number()),
    /** id, receipt, held, used, sequence, lent, expires at, tails, slots until, models, whose slots */
    open: z.array(
      z.tuple(
        [
          z.string(),
          count,
          amounts,
          amounts,
          count,
          z.boolean(),
          z.number(),
          z.record(z.string(), z.number()),
          z.number().optional(),
          z.record(z.string(), modelRow).nullish(),
          z.string().optional(),
        ],
        more,
      ),
    ),
    /** id, until when, whether all of it was given back */
    closed: z.array(z.tuple([z.string(), z.number(), z.boolean().optional()], more)),
    /** after, up to, at, periods */
    lost: z.array(z.tuple([count, count, z.number(), z.record(z.string(), z.number()).optional()], more)),
    /** From, until, and by model: requests, tokens, microdollars. */
    models: z.tuple([z.number(), z.number(), z.record(z.string(), modelRow)], more).optional(),
    /** Days of an org: date, when it ends, and by model as above. */
    days: z.array(z.tuple([z.string(), z.number(), z.record(z.string(), modelRow)], more)).optional(),
    /** The longest lease of a slot. */
    lease_ms: count.optional(),
    /** Marked: what may have been charged since. Absent: exact. */
    charged_mark: amounts.optional(),
    /** Marked: how many slots may have been held since. */
    slots_mark: z.record(z.string(), count).optional(),
  }),
);
type Snapshot = z.infer<typeof snapshotSchema>;

/** `marks`: a marked snapshot; `null`: an exact one. */
export function encode(bucket: BucketState, marks: Marks | null): Snapshot {
  const levels = [...bucket.levels];
  return {
    version: 1,
    since_ms: bucket.sinceMs,
    used_at_ms: bucket.usedAtMs,
    receipt: bucket.receipt,
    epoch: bucket.epoch,
    ...(bucket.revokedKeys.size > 0 && { revoked_keys: [...bucket.revokedKeys] }),
    charged: row(bucket.charged),
    settled: row(bucket.settled),
    unsettled: row(bucket.unsettled),
    unaccounted: row(bucket.unaccounted),
    levels: levels.map(([name, level]) => [
      name,
      marks?.levels.get(name)?.level ?? level.level,
      level.drained,
      level.wholeAtMs,
      level.isCalendar,
    ]),
    levels_at: levels.map(([, level]) =>
      marks === null || level.isCalendar ? level.at : Math.max(level.at, marks.untilMs),
    ),
    open: [...bucket.open].map(([id, reservation]) => [
      id,
      reservation.receipt,
      row(reservation.held),
      row(reservation.used),
      reservation.sequence,
      reservation.lent,
      reservation.expiresAtMs,
      reservation.tails,
      reservation.slotsUntilMs,
      reservation.models === null ? null : modelRows(Object.entries(reservation.models)),
      reservation.slotsOf,
    ]),
    closed: [...bucket.closed].map(([id, { untilMs, isReturned }]) =>
      isReturned ? [id, untilMs, true] : [id, untilMs],
    ),
    lost: bucket.lost.map((range) => [range.after, range.upTo, range.atMs, { ...range.periods }]),
    models: [bucket.models.startMs, bucket.models.endMs, modelRows(bucket.models.tallies)],
    ...(bucket.days !== null && {
      days: [...bucket.days.days].map(([date, { endMs, tallies }]) => [date, endMs, modelRows(tallies)]),
    }),
    lease_ms: bucket.leaseMs,
    ...(marks === null
      ? {}
      : { charged_mark: row(marks.charged), slots_mark: Object.fromEntries(marks.slots) }),
  };
}

/** The bucket as the snapshot has it; `now` only dates what a crash lost. Throws on a snapshot that this code never wrote. */
export function restore(text: string, now: number): BucketState {
  const snapshot = snapshotSchema.parse(JSON.parse(text));
  const bucket = newBucket(snapshot.since_ms);
  bucket.usedAtMs = snapshot.used_at_ms;
  bucket.receipt = snapshot.receipt;
  bucket.epoch = snapshot.epoch;
  bucket.revokedKeys = new Map(snapshot.revoked_keys?.map(([id, untilMs]) => [id, untilMs]));
  const crashed = snapshot.charged_mark;
  bucket.charged = tally(crashed ?? snapshot.charged);
  bucket.settled = tally(snapshot.settled);
  bucket.unsettled = tally(snapshot.unsettled);
  bucket.unaccounted = tally(snapshot.unaccounted);
  bucket.leaseMs = snapshot.lease_ms ?? 0;
  const periods: Record<string, number> = {};
  for (const [index, [name, level, drained, wholeAtMs, isCalendar = false]] of snapshot.levels.entries()) {
    const at = snapshot.levels_at[index] ?? now;
    bucket.levels.set(name, { level, at, drained, wholeAtMs, isCalendar, returned: 0 });
    if (isCalendar) periods[name] = at;
  }
  for (const [
    id,
    receipt,
    held,
    used,
    sequence,
    lent,
    expiresAtMs,
    tails,
    slotsUntilMs,
    models,
    slotsOf,
  ] of snapshot.open)
    addOpen(bucket, id, {
      receipt,
      held: tally(held),
      used: tally(used),
      sequence,
      lent,
      expiresAtMs,
      slotsUntilMs: slotsUntilMs ?? 0,
      slotsOf: slotsOf ?? "",
      // Nobody knows how much leaked between the snapshot and the crash: what was open then gets nothing back from what leaks.
      tails: crashed === undefined ? tails : calendarTails(tails, periods),
      models: models === null || models === undefined ? null : Object.fromEntries(modelTallies(models)),
    });
  for (const [id, untilMs, isReturned = false] of snapshot.closed)
    bucket.closed.set(id, { untilMs, isReturned });
  bucket.lost = snapshot.lost.map(([after, upTo, atMs, lostFrom = {}]) => ({
    after,
    upTo,
    atMs,
    periods: lostFrom,
  }));
  if (snapshot.models !== undefined) {
    const [startMs, endMs, models] = snapshot.models;
    bucket.models = { startMs, endMs, tallies: new Map(modelTallies(models)) };
  }
  if (snapshot.days !== undefined)
    bucket.days = usageDays(
      snapshot.days.map(([date, endMs, models]) => [date, { endMs, tallies: new Map(modelTallies(models)) }]),
    );
  if (crashed !== undefined) forgetGrants(bucket, tally(crashed), snapshot, periods, now);
  return bucket;
}

/** The snapshot says what there was at most: whatever was granted since is not known, but that it may have been. */
function forgetGrants(
  bucket: BucketState,
  mark: Tally,
  snapshot: Snapshot,
  periods: Readonly<Record<string, number>>,
  now: number,
): void {
  const known = tally(snapshot.charged);
  for (const unit of ["requests", "tokens", "microdollars"] as const)
    bucket.unaccounted[unit] += mark[unit] - known[unit];
  const upTo = (Math.floor(snapshot.receipt / receiptsPerLife) + 1) * receiptsPerLife;
  bucket.lost.push({ after: snapshot.receipt, upTo, atMs: now, periods });
  bucket.receipt = upTo;
  for (const [slotsOf, most] of Object.entries(snapshot.slots_mark ?? {})) {
    const slots = most - slotsHeld(bucket, slotsOf);
    if (slots <= 0) continue;
    addOpen(bucket, lostSlotsId(upTo, slotsOf), {
      receipt: upTo,
      held: { ...nothing(), slots },
      used: nothing(),
      sequence: 0,
      lent: false,
      expiresAtMs: now + bucket.leaseMs,
      slotsUntilMs: now + bucket.leaseMs,
      slotsOf,
      tails: {},
      models: null,
    });
  }
}

function addOpen(bucket: BucketState, id: string, reservation: OpenReservation): void {
  bucket.open.set(id, reservation);
  add(bucket.reserved, reservation.held);
  moveSlots(bucket, reservation.slotsOf, reservation.held.slots);
  if (reservation.lent) add(bucket.lent, reservation.held);
  if (reservation.held.slots > 0)
    bucket.nextSlotEndMs = Math.min(bucket.nextSlotEndMs, reservation.slotsUntilMs);
}

function calendarTails(
  tails: Readonly<Record<string, number>>,
  periods: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(tails).filter(([name]) => periods[name] !== undefined));
}

type Row = [requests: number, tokens: number, slots: number, microdollars: number];
type ModelRow = [requests: number, tokens: number, microdollars: number];

function row({ requests, tokens, slots, microdollars }: Amounts): Row {
  return [requests, tokens, slots, microdollars];
}

function tally([requests, tokens, slots = 0, microdollars = 0]: z.infer<typeof amounts>): Tally {
  return { requests, tokens, slots, microdollars };
}

function modelRows(tallies: Iterable<readonly [string, ModelTally]>): Record<string, ModelRow> {
  const rows: Record<string, ModelRow> = {};
  for (const [model, { requests, tokens, microdollars }] of tallies)
    rows[model] = [requests, tokens, microdollars];
  return rows;
}

function modelTallies(rows: Readonly<Record<string, z.infer<typeof modelRow>>>): [string, ModelTally][] {
  return Object.entries(rows).map(([model, [requests, tokens, microdollars]]) => [
    model,
    { requests, tokens, microdollars },
  ]);
}
