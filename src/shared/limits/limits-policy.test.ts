import * as fc from "fast-check";
import { expect, test } from "vitest";
import { bucketName } from "./bucket-name.ts";
import { limitClass, resolveLimits } from "./defaults.ts";
import { answerReservation, extensionAt } from "./estimate.ts";
import { rateLimitHeaders } from "./limit-headers.ts";
import { Loan } from "./loan.ts";
import { loanBlock, loanPolicy, mostLeftUnusedByLoans } from "./loan-policy.ts";
import { RecentMap } from "./recent-map.ts";
import { tenantWith } from "./simulated-turns.ts";

test("the free tier has 100 requests an hour", () => {
  const { rules, block } = resolveLimits(tenantWith({}), "user", "free");
  expect(rules).toContainEqual({
    name: "requests_per_hour",
    unit: "requests",
    capacity: 100,
    windowMs: 3_600_000,
  });
  expect(block).toBeNull();
});

test("a tenant's override replaces the default, null removes the limit, and other tiers keep theirs", () => {
  const tenant = tenantWith({ user: { free: { requests_per_hour: 7, tokens_per_minute: null } } });
  const names = resolveLimits(tenant, "user", "free").rules.map((rule) => `${rule.name}=${rule.capacity}`);
  expect(names).toEqual(["requests_per_minute=100", "requests_per_hour=7"]);
  expect(resolveLimits(tenant, "org", "free").rules).toHaveLength(3);
  expect(resolveLimits(tenant, "user", "free")).toBe(resolveLimits(tenant, "user", "free"));
});

test("an hour and more is a quota, less is a rate", () => {
  expect([60_000, 3_600_000, 86_400_000].map(limitClass)).toEqual(["rate", "quota", "quota"]);
});

test("one loan is a fiftieth of the smallest limit, all loans of a bucket a fifth", () => {
  const { rules, block } = resolveLimits(tenantWith({}), "user", "enterprise");
  expect(block).toEqual({ requests: 120, tokens: 200_000 });
  expect(rules.map(mostLeftUnusedByLoans)).toEqual([1_200, 48_000, 2_000_000]);
  expect(loanBlock([])).toEqual(loanPolicy.maxBlock);
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
    Object.fromEntries(
      rateLimitHeaders({
        requests: { limit: 100, remaining: 99, resetMs: 360_000 },
        tokens: { limit: 40_000, remaining: 39_000, resetMs: 20 },
      }),
    ),
  ).toEqual({
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "99",
    "x-ratelimit-reset-requests": "6m0s",
    "x-ratelimit-limit-tokens": "40000",
    "x-ratelimit-remaining-tokens": "39000",
    "x-ratelimit-reset-tokens": "20ms",
  });
  const unlimited = { limit: Infinity, remaining: Infinity, resetMs: 0 };
  expect(rateLimitHeaders({ requests: unlimited, tokens: unlimited })).toEqual([]);
});

test.each([
  [null, 1, 512],
  [100, 1, 100],
  [100_000, 2, 1_024],
])("an answer of at most %s tokens, %s times, reserves %s", (maxTokens, choices, reserved) => {
  expect(answerReservation(maxTokens, choices)).toBe(reserved);
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
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    action: fc.constantFrom("take", "take", "extend", "settle", "end"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const loan = new Loan("l", 1, { requests: 10, tokens: 1_000 }, 0);
      const inFlight: number[] = [];
      let used = { requests: 0, tokens: 0 };
      for (const { tokens, share, action } of steps) {
        if (action === "take" && loan.take(tokens, 0)) inFlight.push(tokens);
        else if (action === "extend" && inFlight.length > 0 && loan.extend(tokens, 0))
          inFlight[0] = (inFlight[0] ?? 0) + tokens;
        else if (action === "settle") {
          const taken = inFlight.shift();
          if (taken === undefined) continue;
          const spent = { requests: share > 0.5 ? 1 : 0, tokens: Math.floor(taken * share) };
          loan.settle(taken, spent);
          used = { requests: used.requests + spent.requests, tokens: used.tokens + spent.tokens };
        } else if (action === "end") loan.end();
        const report = loan.report();
        expect(report.used).toEqual(used);
        const held = { requests: inFlight.length, tokens: inFlight.reduce((sum, taken) => sum + taken, 0) };
        if (loan.hasEnded) expect(report.held).toEqual(held);
        else {
          expect(report.held.requests + used.requests).toBe(10);
          expect(report.held.tokens + used.tokens).toBe(1_000);
        }
      }
    }),
  );
});

test("a loan is not used in the last second of its life", () => {
  const loan = new Loan("l", 1, { requests: 10, tokens: 1_000 }, 0);
  expect(loan.take(1, 8_999)).toBe(true);
  expect(loan.take(1, 9_000)).toBe(false);
  expect(loan.extend(1, 9_000)).toBe(false);
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
