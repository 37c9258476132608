/** What does a bucket say about itself? Refusals, standings and usage: read from the state, changing nothing but time. */
import type {
  Amounts,
  BucketInspection,
  BucketRefusal,
  BucketStanding,
  UnitStanding,
} from "./bucket-protocol.ts";
import { type BucketState, levelOf, maxOpenReservations } from "./bucket-state.ts";
import { advance, fits, type LimitRule, remaining, resetMs, retryAfterMs } from "./level.ts";

export function refusal(
  bucket: BucketState,
  rules: readonly LimitRule[],
  refusing: readonly LimitRule[],
  more: Amounts,
  now: number,
): BucketRefusal {
  const waits = refusing.map((rule) => ({
    rule,
    waitMs: retryAfterMs(levelOf(bucket, rule, now), rule, more[rule.unit], now),
  }));
  const longest = waits.reduce((left, right) => (right.waitMs > left.waitMs ? right : left));
  const level = levelOf(bucket, longest.rule, now);
  const requestFits = rules.every(
    (rule) => rule.unit !== "requests" || fits(levelOf(bucket, rule, now), rule, more.requests),
  );
  const fittingTokens = rules
    .filter((rule) => rule.unit === "tokens")
    .reduce(
      (least, rule) => Math.min(least, remaining(levelOf(bucket, rule, now), rule)),
      Number.MAX_SAFE_INTEGER,
    );
  return {
    type: "refused",
    limit: longest.rule.name,
    unit: longest.rule.unit,
    windowMs: longest.rule.windowMs,
    capacity: longest.rule.capacity,
    remaining: remaining(level, longest.rule),
    retryAfterMs: Math.max(1, longest.waitMs),
    resetMs: resetMs(level, longest.rule, now),
    fittingTokens: requestFits ? fittingTokens : 0,
  };
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
  };
}

/** The limit nearest to refusal, by unit. */
export function standing(bucket: BucketState, rules: readonly LimitRule[], now: number): BucketStanding {
  let requests: UnitStanding | null = null;
  let tokens: UnitStanding | null = null;
  let requestsShare = Infinity;
  let tokensShare = Infinity;
  for (const rule of rules) {
    const level = levelOf(bucket, rule, now);
    advance(level, rule, now);
    const left = remaining(level, rule);
    const share = left / rule.capacity;
    const wholeInMs = resetMs(level, rule, now);
    level.wholeAtMs = now + wholeInMs;
    if (rule.unit === "requests" && share < requestsShare) {
      requestsShare = share;
      requests = { limit: rule.capacity, remaining: left, resetMs: wholeInMs };
    } else if (rule.unit === "tokens" && share < tokensShare) {
      tokensShare = share;
      tokens = { limit: rule.capacity, remaining: left, resetMs: wholeInMs };
    }
  }
  return { requests, tokens };
}

/** Everything that `GET /v1/usage` and an admin see of one bucket. */
export function inspect(bucket: BucketState, rules: readonly LimitRule[], now: number): BucketInspection {
  return {
    version: 1,
    usage: {
      sinceMs: bucket.sinceMs,
      settled: { ...bucket.settled },
      reserved: { ...bucket.reserved },
      unsettled: { ...bucket.unsettled },
      unaccounted: { ...bucket.unaccounted },
    },
    limits: rules.map((rule) => {
      const level = levelOf(bucket, rule, now);
      advance(level, rule, now);
      return {
        name: rule.name,
        unit: rule.unit,
        limit: rule.capacity,
        remaining: remaining(level, rule),
        resetMs: resetMs(level, rule, now),
      };
    }),
    lent: { ...bucket.lent },
    openReservations: bucket.open.size,
    epoch: bucket.epoch,
  };
}
