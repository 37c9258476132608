import { expect, test } from "vitest";
import { resolveLimits } from "./defaults.ts";
import { limitsOf } from "./principal-limits.ts";
import { tenantWith } from "./simulated-turns.ts";

test("a key's own limits stand beside its user's, on levels of their own, never wider, and leave the org's alone", () => {
  const tenant = tenantWith({ user: { pro: { requests_per_hour: null } } });
  const limits = { requests_per_minute: 5, requests_per_hour: 50, tokens_per_minute: 999_999_999 };
  const key = { id: "k", limits };
  const user = limitsOf(tenant, "user", { tier: "pro", key });
  const { rules } = resolveLimits(tenant, "user", "pro");
  expect(user.rules.slice(0, rules.length)).toEqual(rules);
  expect(user.rules.slice(rules.length).map((rule) => [rule.level, rule.capacity])).toEqual([
    ["key:k/requests_per_minute", 5],
    ["key:k/requests_per_hour", 50],
  ]);
  expect(user.block).toBeNull();
  expect(limitsOf(tenant, "user", { tier: "pro", key: { ...key } })).toBe(user);
  expect(limitsOf(tenant, "org", { tier: "pro", key })).toBe(resolveLimits(tenant, "org", "pro"));
  expect(limitsOf(tenant, "user", { tier: "pro", key: null })).toBe(resolveLimits(tenant, "user", "pro"));
});
