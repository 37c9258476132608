/**
 * What does a bucket answer? The rules of one user's or one org's bucket: several limits, all or nothing; reservations
 * that are settled once; counts that are exact. Pure: no clock, no storage, no randomness. What has to be written, and
 * when, is decided in bucket-durability.ts; the Durable Object around it only passes calls on.
 */
import type {
  Amounts,
  BucketBatch,
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
  levelOf,
  maxClosed,
  maxOpenReservations,
  type OpenReservation,
  subtract,
  sweep,
  type Tally,
  units,
  withdrawnMs,
} from "./bucket-state.ts";
import { refusal, standing, tooManyOpen } from "./bucket-view.ts";
import { advance, charge, fits, giveBack, type LimitRule } from "./level.ts";
import { loanPolicy } from "./loan-policy.ts";

/** Answers a batch, operation by operation, in order. */
export function applyBatch(bucket: BucketState, batch: BucketBatch, now: number): BucketReply {
  const outcomes = batch.operations.map((operation) =>
    operation.type === "reserve"
      ? reserve(bucket, batch.rules, operation, now)
      : settle(bucket, batch.rules, operation, now),
  );
  return {
    version: 1,
    outcomes,
    standing: standing(bucket, batch.rules, now),
    epoch: bucket.epoch,
    ...(bucket.revokedKeys.size > 0 && { revokedKeys: [...bucket.revokedKeys.keys()] }),
  };
}

/** Sets aside under all limits or under none. Changes nothing unless it grants. */
export function reserve(
  bucket: BucketState,
  rules: readonly LimitRule[],
  operation: ReserveOperation,
  now: number,
): BucketOutcome {
  assertAmounts(operation.total);
  if (isClosed(bucket, operation.id, now)) return { type: "closed" };
  const known = bucket.open.get(operation.id);
  const more: Tally = known
    ? {
        requests: Math.max(0, operation.total.requests - known.held.requests - known.used.requests),
        tokens: Math.max(0, operation.total.tokens - known.held.tokens - known.used.tokens),
      }
    : { requests: operation.total.requests, tokens: operation.total.tokens };
  if (known && more.requests === 0 && more.tokens === 0) return { type: "granted", receipt: known.receipt };

  for (const rule of rules) advance(levelOf(bucket, rule, now), rule, now);
  if (operation.lend && !mayLend(bucket, rules, more, now)) return { type: "not-lent" };
  if (!known && bucket.open.size >= maxOpenReservations) sweep(bucket, now);
  if (!known && bucket.open.size >= maxOpenReservations) return tooManyOpen(bucket);
  const refusing = rules.filter((rule) => !fits(levelOf(bucket, rule, now), rule, more[rule.unit]));
  if (refusing.length > 0) return refusal(bucket, rules, refusing, more, now);

  const reservation: OpenReservation = known ?? {
    receipt: (bucket.receipt += 1),
    held: { requests: 0, tokens: 0 },
    used: { requests: 0, tokens: 0 },
    sequence: 0,
    lent: operation.lend,
    expiresAtMs: now + operation.ttlMs,
    tails: {},
  };
  for (const rule of rules) {
    const amount = more[rule.unit];
    if (amount === 0) continue;
    const tail = charge(levelOf(bucket, rule, now), amount);
    // Of a reservation raised in mid-stream the first tail stays: it drains first, so that too little is returned, never too much.
    reservation.tails[rule.name] ??= tail;
  }
  add(reservation.held, more);
  add(bucket.reserved, more);
  add(bucket.charged, more);
  if (reservation.lent) add(bucket.lent, more);
  if (!known) bucket.open.set(operation.id, reservation);
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
  return { type: "granted", receipt: reservation.receipt };
}

/** Replaces what is held under an id by what was used and is still held; counts each settlement exactly once. */
export function settle(
  bucket: BucketState,
  rules: readonly LimitRule[],
  operation: SettleOperation,
  now: number,
): BucketOutcome {
  assertAmounts(operation.used);
  assertAmounts(operation.held);
  assertAmounts(operation.granted);
  const reservation = bucket.open.get(operation.id);
  const isForgotten = operation.receipt !== null && isLost(bucket, operation.receipt);
  // A grant that a crash forgot may have been granted again under its id: whichever receipt its holder has, it is one charge.
  if (
    reservation !== undefined &&
    (operation.receipt === null || operation.receipt === reservation.receipt || isForgotten)
  ) {
    if (operation.sequence <= reservation.sequence) return { type: "duplicate" };
    settleOpen(bucket, rules, operation, reservation, now);
    if (operation.receipt === null || isForgotten) close(bucket, operation, now);
    return { type: "settled" };
  }
  if (isClosed(bucket, operation.id, now)) return { type: "duplicate" };
  if (operation.receipt === null) {
    chargeDebt(bucket, rules, operation.used, now);
    close(bucket, operation, now);
    return { type: "settled" };
  }
  if (!isForgotten) return { type: "duplicate" };

  // A grant that a crash forgot. Its charge is part of the high-water mark, so no level changes for what was granted, and
  // nothing is returned to it either; only the counts become exact again.
  const adopted: OpenReservation = {
    receipt: operation.receipt,
    held: { requests: operation.granted.requests, tokens: operation.granted.tokens },
    used: { requests: 0, tokens: 0 },
    sequence: 0,
    lent: false,
    expiresAtMs: now + lateMs,
    tails: {},
  };
  bucket.unaccounted.requests = Math.max(0, bucket.unaccounted.requests - operation.granted.requests);
  bucket.unaccounted.tokens = Math.max(0, bucket.unaccounted.tokens - operation.granted.tokens);
  add(bucket.reserved, operation.granted);
  bucket.open.set(operation.id, adopted);
  settleOpen(bucket, rules, operation, adopted, now);
  close(bucket, operation, now);
  return { type: "settled" };
}

function settleOpen(
  bucket: BucketState,
  rules: readonly LimitRule[],
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
    if (surplus === 0) continue;
    for (const rule of rules) {
      if (rule.unit !== unit) continue;
      const level = levelOf(bucket, rule, now);
      advance(level, rule, now);
      if (surplus < 0) charge(level, -surplus);
      else giveBack(level, reservation.tails[rule.name] ?? 0, surplus);
    }
  }
  reservation.sequence = operation.sequence;
  if (reservation.lent) {
    subtract(bucket.lent, before);
    if (operation.ended) reservation.lent = false;
    else add(bucket.lent, reservation.held);
  }
  if (isNothing(reservation.held)) bucket.open.delete(operation.id);
  else reservation.expiresAtMs = Math.max(reservation.expiresAtMs, now + (operation.ended ? lateMs : 0));
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
}

/** What was delivered without a reservation: charged whatever the limits say. */
function chargeDebt(bucket: BucketState, rules: readonly LimitRule[], used: Amounts, now: number): void {
  for (const rule of rules) {
    const amount = used[rule.unit];
    if (amount === 0) continue;
    const level = levelOf(bucket, rule, now);
    advance(level, rule, now);
    charge(level, amount);
  }
  add(bucket.settled, used);
  add(bucket.charged, used);
  bucket.usedAtMs = Math.max(bucket.usedAtMs, now);
}

function close(bucket: BucketState, operation: SettleOperation, now: number): void {
  if (!isNothing(operation.held)) return;
  // Repeating that nothing was used does no harm; only a reservation that is still on its way must find it closed, and
  // not for long: a turn may be admitted again under its id.
  const isWithdrawal = operation.receipt === null && isNothing(operation.used);
  bucket.closed.delete(operation.id);
  bucket.closed.set(operation.id, now + (isWithdrawal ? withdrawnMs : lateMs));
  if (bucket.closed.size <= maxClosed) return;
  for (const id of bucket.closed.keys()) {
    bucket.closed.delete(id);
    if (bucket.closed.size <= maxClosed) return;
  }
}

function isClosed(bucket: BucketState, id: string, now: number): boolean {
  const untilMs = bucket.closed.get(id);
  return untilMs !== undefined && untilMs > now;
}

function isLost(bucket: BucketState, receipt: number): boolean {
  return bucket.lost.some((range) => receipt > range.after && receipt <= range.upTo);
}

function mayLend(bucket: BucketState, rules: readonly LimitRule[], more: Amounts, now: number): boolean {
  return rules.every((rule) => {
    const amount = more[rule.unit];
    return (
      bucket.lent[rule.unit] + amount <= rule.capacity * loanPolicy.lentShare &&
      levelOf(bucket, rule, now).level + amount <= rule.capacity * loanPolicy.lendBelowShare
    );
  });
}

function assertAmounts(amounts: Amounts): void {
  if (!isAmount(amounts.requests) || !isAmount(amounts.tokens))
    throw new RangeError(`Amounts are whole numbers from 0: ${amounts.requests}, ${amounts.tokens}`);
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}
