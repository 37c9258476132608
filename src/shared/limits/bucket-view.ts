/** What does a bucket report? Refusals, standings and usage: read from the state, which is only brought up to the given time. */
import type {
  Amounts,
  BucketInspection,
  BucketRefusal,
  BucketStanding,
  Unit,
  UnitStanding,
} from "./bucket-protocol.ts";
import { type BucketState, levelOf, maxOpenReservations, slotsHeld, sweep } from "./bucket-state.ts";
import { levelKey, type LimitRule, remaining, resetMs, retryAfterMs } from "./level.ts";
import { modelUses } from "./model-counts.ts";

/** When a slot will be free is unknown: the client asks again after a moment. */
const slotRetryMs = 1_000;

export function refusal(
  bucket: BucketState,
  rules: readonly LimitRule[],
  refusing: readonly LimitRule[],
  more: Amounts,
  now: number,
): BucketRefusal {
  const waits = refusing.map((rule) => ({ rule, waitMs: waitFor(bucket, rule, more[rule.unit], now) }));
  const longest = waits.reduce((left, right) => (right.waitMs > left.waitMs ? right : left));
  const mayAsk = refusing.every(({ unit }) => unit === "tokens" || unit === "microdollars");
  return {
    type: "refused",
    limit: longest.rule.name,
    ...whose(longest.rule),
    unit: longest.rule.unit,
    windowMs: longest.rule.windowMs,
    capacity: longest.rule.capacity,
    remaining: leftOf(bucket, longest.rule, now),
    retryAfterMs: Math.max(1, longest.waitMs),
    resetMs: wholeIn(bucket, longest.rule, now),
    fittingTokens: mayAsk ? leastLeft(bucket, rules, "tokens", now) : 0,
    fittingMicrodollars: mayAsk ? leastLeft(bucket, rules, "microdollars", now) : 0,
  };
}

function whose({ of }: LimitRule): Pick<LimitRule, "of"> {
  return of === undefined ? {} : { of };
}

function leftOf(bucket: BucketState, rule: LimitRule, now: number): number {
  return rule.unit === "slots"
    ? Math.max(0, rule.capacity - slotsHeld(bucket, levelKey(rule)))
    : remaining(levelOf(bucket, rule, now), rule);
}

function wholeIn(bucket: BucketState, rule: LimitRule, now: number): number {
  if (rule.unit === "slots") return slotsHeld(bucket, levelKey(rule)) === 0 ? 0 : slotRetryMs;
  return resetMs(levelOf(bucket, rule, now), rule, now);
}

function waitFor(bucket: BucketState, rule: LimitRule, amount: number, now: number): number {
  return rule.unit === "slots" ? slotRetryMs : retryAfterMs(levelOf(bucket, rule, now), rule, amount, now);
}

function leastLeft(bucket: BucketState, rules: readonly LimitRule[], unit: Unit, now: number): number {
  let least = Number.MAX_SAFE_INTEGER;
  for (const rule of rules) if (rule.unit === unit) least = Math.min(least, leftOf(bucket, rule, now));
  return least;
}

export function tooManyOpen(bucket: BucketState): BucketRefusal {
  return {
    type: "refused",
    limit: "open_reservations",
    unit: "requests",
    windowMs: 1_000,
    capacity: maxOpenReservations,
    remaining: Math.max(0, maxOpenReservations - bucket.open.size),
    retryAfterMs: 1_000,
    resetMs: 1_000,
    fittingTokens: 0,
    fittingMicrodollars: 0,
  };
}

/** Of requests and of tokens, the limit nearest to refusal. */
export function standing(bucket: BucketState, rules: readonly LimitRule[], now: number): BucketStanding {
  let requests: UnitStanding | null = null;
  let tokens: UnitStanding | null = null;
  let requestsShare = Infinity;
  let tokensShare = Infinity;
  for (const rule of rules) {
    if (rule.unit === "slots") continue;
    const level = levelOf(bucket, rule, now);
    const left = remaining(level, rule);
    const share = left / rule.capacity;
    const wholeInMs = resetMs(level, rule, now);
    level.wholeAtMs = now + wholeInMs;
    if (rule.unit === "requests" && share < requestsShare) {
      requestsShare = share;
      requests = {
        name: rule.name,
        ...whose(rule),
        limit: rule.capacity,
        remaining: left,
        resetMs: wholeInMs,
      };
    } else if (rule.unit === "tokens" && share < tokensShare) {
      tokensShare = share;
      tokens = { name: rule.name, ...whose(rule), limit: rule.capacity, remaining: left, resetMs: wholeInMs };
    }
  }
  return { requests, tokens };
}

/** Everything that `GET /v1/usage` and an admin see of one bucket. */
export function inspect(bucket: BucketState, rules: readonly LimitRule[], now: number): BucketInspection {
  // Reservations that are over count as unsettled from then on, though nothing was written since.
  sweep(bucket, now);
  return {
    version: 1,
    usage: {
      sinceMs: bucket.sinceMs,
      settled: { ...bucket.settled },
      reserved: { ...bucket.reserved },
      unsettled: { ...bucket.unsettled },
      unaccounted: { ...bucket.unaccounted },
    },
    limits: rules.map((rule) => ({
      name: rule.name,
      ...whose(rule),
      unit: rule.unit,
      limit: rule.capacity,
      used:
        rule.unit === "slots"
          ? slotsHeld(bucket, levelKey(rule))
          : Math.ceil(levelOf(bucket, rule, now).level - 1e-6),
      remaining: leftOf(bucket, rule, now),
      resetMs: wholeIn(bucket, rule, now),
    })),
    models: { sinceMs: bucket.models.startMs, uses: modelUses(bucket.models, now) },
    lent: { ...bucket.lent },
    openReservations: bucket.open.size,
    epoch: bucket.epoch,
  };
}
