import { expect, test } from "vitest";
import { resolveLimits } from "./defaults.ts";
import { limitsOf } from "./principal-limits.ts";
import { createLimitDesk } from "./limit-desk.ts";
import { tenantWith, turn, use, within } from "./simulated-turns.ts";
import { FakeClock, isolateOptions, SimulatedBuckets, strictBackground } from "./simulated-world.ts";

test("a key's own limits stand beside its user's, on levels of their own, and leave the org's alone", () => {
  const tenant = tenantWith({ user: { pro: { requests_per_hour: null } } });
  const limits = { requests_per_minute: 5, requests_per_hour: 50, tokens_per_minute: 999_999_999 };
  const key = { id: "k", limits };
  const user = limitsOf(tenant, "user", { tier: "pro", key });
  const { rules } = resolveLimits(tenant, "user", "pro");
  expect(user.rules.slice(0, rules.length)).toEqual(rules);
  expect(user.rules.slice(rules.length).map((rule) => [rule.level, rule.capacity])).toEqual([
    ["key:k/requests_per_minute", 5],
    ["key:k/requests_per_hour", 50],
    ["key:k/tokens_per_minute", 999_999_999],
  ]);
  expect(user.block).toBeNull();
  expect(limitsOf(tenant, "user", { tier: "pro", key: { ...key } })).toBe(user);
  expect(limitsOf(tenant, "org", { tier: "pro", key })).toBe(resolveLimits(tenant, "org", "pro"));
  expect(limitsOf(tenant, "user", { tier: "pro", key: null })).toBe(resolveLimits(tenant, "user", "pro"));
});

test("a key's own limit counts what was asked while its user's was the lower one, also when that is raised", async () => {
  const clock = new FakeClock();
  const buckets = new SimulatedBuckets(clock);
  const admission = createLimitDesk(isolateOptions(buckets, "i")).admission(strictBackground());
  const key = { id: "k", limits: { requests_per_hour: 12 } };
  const [low, high] = [5, 100].map((limit) => tenantWith({ user: { free: { requests_per_hour: limit } } }));
  let admitted = 0;
  for (const tenant of [low, high])
    for (let at = 0; at < 20; at += 1) {
      if (tenant === undefined) continue;
      const asked = await within(
        clock,
        admission.admit(turn(tenant, `${admitted}-${at}-${tenant === low}`, { key })),
      );
      if (asked.ok) asked.value.settle(use(1));
      admitted += asked.ok ? 1 : 0;
    }
  expect(admitted).toBe(12);
});
