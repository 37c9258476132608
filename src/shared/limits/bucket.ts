/**
 * What does a bucket answer? The rules of one user's or one org's bucket: several limits, all or nothing; reservations
 * that are settled once; counts that are exact. Pure: no clock, no storage, no randomness. What has to be written, and
 * when, is decided in bucket-durability.ts; the Durable Object around it only passes calls on.
 */
import type {
  Amounts,
  BucketBatch,
  BucketOperation,
  BucketOutcome,
  BucketReply,
  ReserveOperation,
  SettleOperation,
} from "./bucket-protocol.ts";
import {
  add,
  type BucketState,
  isNothing,
  lateMs,
  leaseSlots,
  levelOf,
  lostSlotsId,
  type LostReceipts,
  maxClosed,
  maxOpenReservations,
  nothing,
  type OpenReservation,
  moveSlots,
  releaseSlots,
  slotsHeld,
  slotsKey,
  subtract,
  sweep,
  type Tally,
  units,
  withdrawnMs,
} from "./bucket-state.ts";
import { refusal, standing, tooManyOpen } from "./bucket-view.ts";
import { charge, fits, giveBack, levelKey, type LimitRule } from "./level.ts";
import { mostLent } from "./loan-policy.ts";
import { countUses } from "./usage-days.ts";

/** What a batch says beside its operations. */
type Terms = Pick<BucketBatch, "rules" | "leaseMs" | "timeZone">;

/** Answers a batch, operation by operation, in order. */
export function applyBatch(bucket: BucketState, batch: BucketBatch, now: number): BucketReply {
  const outcomes = batch.operations.map((operation): BucketOutcome => {
    // Checked by itself: the batch's other operations are independent of it.
    const detail = faultIn(operation);
    if (detail !== null) return { type: "unsound", detail };
    return operation.type === "reserve"
      ? reserve(bucket, batch, operation, now)
      : settle(bucket, batch, operation, now);
  });
  return {
    version: 1,
    outcomes,
    standing: standing(bucket, batch.rules, now),
    epoch: bucket.epoch,
    ...(bucket.revokedKeys.size > 0 && { revokedKeys: [...bucket.revokedKeys.keys()] }),
  };
}

/** Sets aside under all limits or under none. Changes nothing unless it grants. */
function reserve(
  bucket: BucketState,
  { rules, leaseMs }: Terms,
  operation: ReserveOperation,
  now: number,
): BucketOutcome {
  if (isClosed(bucket, operation.id, now)) return { type: "closed" };
  const known = bucket.open.get(operation.id);
  const more: Tally = { ...operation.total };
  if (known)
    for (const unit of units) more[unit] = Math.max(0, more[unit] - known.held[unit] - known.used[unit]);
  if (known && isNothing(more)) return { type: "granted", receipt: known.receipt };

  releaseSlots(bucket, now);
  if (operation.lend && !mayLend(bucket, rules, more, now)) return { type: "not-lent" };
  if (!known && bucket.open.size >= maxOpenReservations) sweep(bucket, now);
  if (!known && bucket.open.size >= maxOpenReservations) return tooManyOpen(bucket);
  const refusing = rules.filter((rule) => !hasRoom(bucket, rule, more[rule.unit], now));
  if (refusing.length > 0) return refusal(bucket, rules, refusing, more, now);

  const reservation: OpenReservation = known ?? {
    receipt: (bucket.receipt += 1),
    held: nothing(),
    used: nothing(),
    sequence: 0,
    lent: operation.lend,
    expiresAtMs: now + operation.ttlMs,
    slotsUntilMs: 0,
    slotsOf: slotsKey(rules),
    tails: {},
    models: operation.lend ? {} : null,
  };
  for (const rule of rules) {
    const amount = more[rule.unit];
    if (amount === 0 || rule.unit === "slots") continue;
    const tail = charge(levelOf(bucket, rule, now), rule, amount);
    // Of a reservation raised in mid-stream the first tail stays: it drains first, so that too little is returned, never too much.
    reservation.tails[levelKey(rule)] ??= tail;
  }
  add(reservation.held, more);
  moveSlots(bucket, reservation.slotsOf, more.slots);
  add(bucket.reserved, more);
  add(bucket.charged, more);
  if (reservation.lent) add(bucket.lent, more);
  if (more.slots > 0) leaseSlots(bucket, reservation, leaseMs, now);
  if (!known) bucket.open.set(operation.id, reservation);
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
  return { type: "granted", receipt: reservation.receipt };
}

/** A limit that is exceeded already (a debt, a new configuration) only refuses requests that need more of it. */
function hasRoom(bucket: BucketState, rule: LimitRule, amount: number, now: number): boolean {
  if (amount === 0) return true;
  if (rule.unit === "slots") return slotsHeld(bucket, levelKey(rule)) + amount <= rule.capacity;
  return fits(levelOf(bucket, rule, now), rule, amount);
}

/** Replaces what is held under an id by what was used and is still held; counts each settlement exactly once. */
function settle(bucket: BucketState, terms: Terms, operation: SettleOperation, now: number): BucketOutcome {
  const reservation = bucket.open.get(operation.id);
  const lost = lostRange(bucket, operation.receipt);
  // A grant that a crash forgot may have been granted again under its id: whichever receipt its holder has, it is one charge.
  if (
    reservation !== undefined &&
    (operation.receipt === null || operation.receipt === reservation.receipt || lost !== undefined)
  ) {
    if (operation.sequence <= reservation.sequence) return { type: "duplicate" };
    settleOpen(bucket, terms, operation, reservation, now);
    if (operation.receipt === null || lost !== undefined) close(bucket, operation, now);
    return { type: "settled" };
  }
  if (isClosed(bucket, operation.id, now) && !isNews(bucket, operation)) return { type: "duplicate" };
  if (operation.receipt === null) {
    chargeDebt(bucket, terms, operation, now);
    close(bucket, operation, now);
    return { type: "settled" };
  }
  if (lost === undefined) return { type: "duplicate" };

  // A grant that a crash forgot. Its charge is part of the high-water mark, so no level changes for what was granted; only
  // the counts become exact again, and limits that don't leak get back what was not used.
  const adopted: OpenReservation = {
    receipt: operation.receipt,
    held: { ...operation.granted },
    used: nothing(),
    sequence: 0,
    lent: false,
    expiresAtMs: now + lateMs,
    slotsUntilMs: 0,
    slotsOf: slotsKey(terms.rules),
    tails: { ...lost.periods },
    models: {},
  };
  for (const unit of units)
    bucket.unaccounted[unit] = Math.max(0, bucket.unaccounted[unit] - operation.granted[unit]);
  returnLostSlots(bucket, lostSlotsId(lost.upTo, adopted.slotsOf), operation.granted.slots);
  moveSlots(bucket, adopted.slotsOf, operation.granted.slots);
  add(bucket.reserved, operation.granted);
  bucket.open.set(operation.id, adopted);
  settleOpen(bucket, terms, operation, adopted, now);
  close(bucket, operation, now);
  return { type: "settled" };
}

function settleOpen(
  bucket: BucketState,
  { rules, leaseMs, timeZone }: Terms,
  operation: SettleOperation,
  reservation: OpenReservation,
  now: number,
): void {
  const before: Tally = { ...reservation.held };
  for (const unit of units) {
    const used = Math.max(0, operation.used[unit] - reservation.used[unit]);
    const surplus = reservation.held[unit] - used - operation.held[unit];
    reservation.used[unit] += used;
    reservation.held[unit] = operation.held[unit];
    bucket.settled[unit] += used;
    bucket.reserved[unit] += operation.held[unit] - before[unit];
    if (surplus < 0) bucket.charged[unit] -= surplus;
    if (surplus === 0 || unit === "slots") continue;
    for (const rule of rules) {
      if (rule.unit !== unit) continue;
      const level = levelOf(bucket, rule, now);
      if (surplus < 0) charge(level, rule, -surplus);
      else giveBack(level, rule, reservation.tails[levelKey(rule)] ?? 0, surplus);
    }
  }
  moveSlots(bucket, reservation.slotsOf, reservation.held.slots - before.slots);
  countUses(bucket, operation.models, reservation.models, timeZone, now);
  reservation.sequence = operation.sequence;
  if (reservation.lent) {
    subtract(bucket.lent, before);
    if (operation.ended) reservation.lent = false;
    else add(bucket.lent, reservation.held);
  }
  if (reservation.held.slots > 0) leaseSlots(bucket, reservation, leaseMs, now);
  if (isNothing(reservation.held)) bucket.open.delete(operation.id);
  else reservation.expiresAtMs = Math.max(reservation.expiresAtMs, now + (operation.ended ? lateMs : 0));
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
}

/** What was delivered without a reservation: charged whatever the limits say. */
function chargeDebt(
  bucket: BucketState,
  { rules, timeZone }: Terms,
  { used, models }: SettleOperation,
  now: number,
): void {
  for (const rule of rules) {
    const amount = used[rule.unit];
    if (amount > 0 && rule.unit !== "slots") charge(levelOf(bucket, rule, now), rule, amount);
  }
  add(bucket.settled, used);
  add(bucket.charged, used);
  countUses(bucket, models, null, timeZone, now);
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
}

/** A settlement came for one of the grants whose slots are held since a crash. */
function returnLostSlots(bucket: BucketState, id: string, slots: number): void {
  const held = bucket.open.get(id);
  if (held === undefined) return;
  const returned = Math.min(slots, held.held.slots);
  held.held.slots -= returned;
  bucket.reserved.slots -= returned;
  moveSlots(bucket, held.slotsOf, -returned);
  if (held.held.slots === 0) bucket.open.delete(id);
}

function close(bucket: BucketState, operation: SettleOperation, now: number): void {
  if (!isNothing(operation.held)) return;
  // Repeating that nothing was used does no harm; only a reservation that is still on its way must find it closed, and
  // not for long: a turn may be admitted again under its id.
  const isReturned = isNothing(operation.used);
  const isWithdrawal = operation.receipt === null && isReturned;
  bucket.closed.delete(operation.id);
  bucket.closed.set(operation.id, { untilMs: now + (isWithdrawal ? withdrawnMs : lateMs), isReturned });
  if (bucket.closed.size <= maxClosed) return;
  for (const id of bucket.closed.keys()) {
    bucket.closed.delete(id);
    if (bucket.closed.size <= maxClosed) return;
  }
}

function isClosed(bucket: BucketState, id: string, now: number): boolean {
  const closed = bucket.closed.get(id);
  return closed !== undefined && closed.untilMs > now;
}

/**
 * A later run of a durable turn that was not let in again gave back what the first was granted; what that one delivered is
 * settled by the id alone.
 */
function isNews(bucket: BucketState, { id, receipt, used }: SettleOperation): boolean {
  return receipt === null && !isNothing(used) && bucket.closed.get(id)?.isReturned === true;
}

function lostRange(bucket: BucketState, receipt: number | null): LostReceipts | undefined {
  return receipt === null
    ? undefined
    : bucket.lost.find((range) => receipt > range.after && receipt <= range.upTo);
}

/** Nothing is lent from the last part of a limit: there every request asks, so that few are refused for a loan's sake. */
function mayLend(bucket: BucketState, rules: readonly LimitRule[], more: Amounts, now: number): boolean {
  return rules.every((rule) => {
    const amount = more[rule.unit];
    const most = mostLent(rules, rule.unit);
    const charged =
      rule.unit === "slots" ? slotsHeld(bucket, levelKey(rule)) : levelOf(bucket, rule, now).level;
    return bucket.lent[rule.unit] + amount <= most && charged + amount <= rule.capacity - most;
  });
}

/** What can't be counted, and why; `null`: all of it can. */
function faultIn(operation: BucketOperation): string | null {
  for (const amounts of amountsOf(operation))
    for (const unit of units)
      if (!Number.isSafeInteger(amounts[unit]) || amounts[unit] < 0)
        return `amounts are whole numbers from 0: ${unit} is ${amounts[unit]}`;
  return null;
}

function amountsOf(operation: BucketOperation): readonly Amounts[] {
  if (operation.type === "reserve") return [operation.total];
  const { used, held, granted, models } = operation;
  return [used, held, granted, ...models.map((use) => ({ ...use, slots: 0 }))];
}
