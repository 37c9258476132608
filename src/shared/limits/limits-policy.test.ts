import * as fc from "fast-check";
import { expect, test } from "vitest";
import { add, nothing, units } from "./bucket-state.ts";
import { bucketName } from "./bucket-name.ts";
import { limitClass, resolveLimits } from "./defaults.ts";
import { answerReservation, extensionAt } from "./estimate.ts";
import { rateLimitHeaders } from "./limit-headers.ts";
import { Loan } from "./loan.ts";
import { loanBlock, loanPolicy, mostLent } from "./loan-policy.ts";
import { levelKey } from "./level.ts";
import { limitsOf } from "./principal-limits.ts";
import { RecentMap } from "./recent-map.ts";
import { amounts, tenantWith } from "./simulated-turns.ts";
import { tierSchema } from "./tier.ts";

test("the free tier has 100 requests an hour", () => {
  const { rules, block } = resolveLimits(tenantWith({}), "user", "free");
  expect(rules).toContainEqual({
    name: "requests_per_hour",
    unit: "requests",
    capacity: 100,
    windowMs: 3_600_000,
    level: "free/requests_per_hour",
  });
  expect(block).toBeNull();
});

test("no two rules of different capacity share a level that leaks, and a user's month is one under every tier", () => {
  const tenant = tenantWith({});
  const key = { id: "k", limits: { requests_per_minute: 5 } };
  for (const scope of ["user", "org"] as const) {
    const capacities = new Map<string, number>();
    for (const tier of tierSchema.options)
      for (const rule of limitsOf(tenant, scope, { tier, key }).rules) {
        if (scope === "user" && (rule.calendar !== undefined || rule.unit === "slots"))
          expect(levelKey(rule)).toBe(rule.name);
        else expect(capacities.get(levelKey(rule)) ?? rule.capacity).toBe(rule.capacity);
        capacities.set(levelKey(rule), rule.capacity);
      }
  }
});

test("a tenant's override replaces the default, null removes the limit, and other tiers keep theirs", () => {
  const tenant = tenantWith({ user: { free: { requests_per_hour: 7, tokens_per_minute: null } } });
  const names = resolveLimits(tenant, "user", "free").rules.map((rule) => `${rule.name}=${rule.capacity}`);
  expect(names).toEqual([
    "requests_per_minute=100",
    "requests_per_hour=7",
    "requests_per_day=1000",
    "tokens_per_month=5000000",
    "concurrent_requests=100",
    "cost_per_month_usd=5000000",
  ]);
  expect(resolveLimits(tenant, "org", "free").rules).toHaveLength(7);
  expect(resolveLimits(tenant, "user", "free")).toBe(resolveLimits(tenant, "user", "free"));
});

test("an hour and more is a quota, less is a rate", () => {
  expect([60_000, 3_600_000, 86_400_000].map(limitClass)).toEqual(["rate", "quota", "quota"]);
});

test("what one loan is, and what all loans of a bucket can leave unused, are shares of the smallest limit", () => {
  const { rules, block } = resolveLimits(tenantWith({}), "user", "enterprise");
  expect(block).toEqual({ requests: 120, tokens: 200_000, slots: 100, microdollars: 5_000_000 });
  expect(units.map((unit) => mostLent(rules, unit))).toEqual([1_200, 2_000_000, 400, 400_000_000]);
  expect(loanBlock([])).toEqual(loanPolicy.maxBlock);
  expect(mostLent([], "tokens")).toBe(Infinity);
});

test.each([
  ["free", "user", false],
  ["free", "org", false],
  ["pro", "user", true],
  ["enterprise", "org", true],
] as const)("loans of the defaults: %s %s: %s", (tier, scope, lends) => {
  expect(resolveLimits(tenantWith({}), scope, tier).block !== null).toBe(lends);
});

test("no two buckets share a name", () => {
  const id = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\ud800", "\ud801", '"', "/", 'a/user/"b"'),
  );
  const part = fc.record({
    tenant: fc.constantFrom("a", "a-b"),
    scope: fc.constantFrom("user" as const, "org" as const),
    id,
  });
  fc.assert(
    fc.property(part, part, (left, right) => {
      const same = left.tenant === right.tenant && left.scope === right.scope && left.id === right.id;
      const leftBytes = new TextEncoder().encode(bucketName(left.tenant, left.scope, left.id)).join();
      const rightBytes = new TextEncoder().encode(bucketName(right.tenant, right.scope, right.id)).join();
      expect(leftBytes === rightBytes).toBe(same);
    }),
  );
});

test("headers are OpenAI's, and a unit without a limit has none", () => {
  expect(
    rateLimitHeaders({
      requests: { limit: 100, remaining: 99, resetMs: 360_000, name: "user/requests_per_hour" },
      tokens: { limit: 40_000, remaining: 39_000, resetMs: 20, name: "org/tokens_per_month" },
    }),
  ).toEqual({
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "99",
    "x-ratelimit-reset-requests": "6m0s",
    "x-ratelimit-window-requests": "user/requests_per_hour",
    "x-ratelimit-limit-tokens": "40000",
    "x-ratelimit-remaining-tokens": "39000",
    "x-ratelimit-reset-tokens": "20ms",
    "x-ratelimit-window-tokens": "org/tokens_per_month",
  });
  const unlimited = { limit: Infinity, remaining: Infinity, resetMs: 0, name: "" };
  expect(rateLimitHeaders({ requests: unlimited, tokens: unlimited })).toEqual({});
});

test.each([
  [null, 1, 512],
  [100, 1, 100],
  [100_000, 2, 1_024],
])("an answer of at most %s tokens, %s times, reserves %s", (maxTokens, choices, reserved) => {
  expect(answerReservation(maxTokens, choices, 512)).toBe(reserved);
});

test.each([
  [100, 612, null, null],
  [560, 612, null, 1_124],
  [600, 612, 700, 700],
  [700, 700, 700, null],
  [900, 612, null, 1_412],
])("with %s used of %s reserved and at most %s, raise to %s", (used, reserved, most, total) => {
  expect(extensionAt(used, reserved, most)).toBe(total);
});

test("a loan never lends what it has not, and what it reports adds up to its block until a turn uses more than it took", () => {
  const step = fc.record({
    tokens: fc.integer({ min: 0, max: 400 }),
    microdollars: fc.integer({ min: 0, max: 300 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    action: fc.constantFrom("take", "take", "extend", "settle", "end"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const block = amounts(10, 1_000, 4, 900);
      const loan = new Loan("l", 1, block, 0);
      const inFlight: { tokens: number; microdollars: number }[] = [];
      const used = nothing();
      for (const { tokens, microdollars, share, action } of steps) {
        if (action === "take" && loan.take(tokens, microdollars, 0)) inFlight.push({ tokens, microdollars });
        else if (action === "extend" && inFlight[0] !== undefined && loan.extend(tokens, microdollars, 0)) {
          inFlight[0].tokens += tokens;
          inFlight[0].microdollars += microdollars;
        } else if (action === "settle") {
          const taken = inFlight.shift();
          if (taken === undefined) continue;
          const spent = amounts(
            share > 0.5 ? 1 : 0,
            Math.floor(taken.tokens * share),
            0,
            Math.floor(taken.microdollars * share),
          );
          loan.settle(taken.tokens, taken.microdollars, spent, "m");
          add(used, spent);
        } else if (action === "end") loan.end();
        expect(inFlight.length).toBeLessThanOrEqual(4);
        const report = loan.report();
        expect(report.used).toEqual(used);
        const { requests, tokens: modelTokens } = report.models[0] ?? used;
        expect([requests, modelTokens]).toEqual([used.requests, used.tokens]);
        const held = nothing();
        for (const taken of inFlight) add(held, amounts(1, taken.tokens, 1, taken.microdollars));
        if (loan.hasEnded) expect(report.held).toEqual(held);
        else for (const unit of units) expect(report.held[unit] + used[unit]).toBe(block[unit]);
      }
    }),
  );
});

test("a loan is not used in the last second of its life", () => {
  const loan = new Loan("l", 1, amounts(10, 1_000, 10, 1_000), 0);
  expect(loan.take(1, 1, 8_999)).toBe(true);
  expect(loan.take(1, 1, 9_000)).toBe(false);
  expect(loan.extend(1, 1, 9_000)).toBe(false);
});

test("100,000 users pass through and the memory of an isolate stays bounded, the busy ones kept", () => {
  const recent = new RecentMap<number>(1_000, (value) => value === 7);
  for (let index = 0; index < 100_000; index += 1) {
    recent.set(`u${index}`, index);
    expect(recent.get("u0")).toBe(0);
  }
  expect(recent.size).toBeLessThanOrEqual(2_000);
  expect(recent.get("u7")).toBe(7);
  expect(recent.get("u8")).toBeUndefined();
});
