import { expect, test } from "vitest";
import { usageIn } from "./usage.ts";

const limit = {
  name: "requests_per_hour",
  unit: "requests",
  limit: 100,
  used: 0,
  remaining: 100,
  reset_ms: 0,
};

test("limits are named in words, the nearest to its end first, with what is used of them and when all of it is back", () => {
  const limits = [
    limit,
    {
      ...limit,
      name: "tokens_per_month",
      unit: "tokens",
      limit: 5_000_000,
      used: 1_000_000,
      reset_ms: 864e5 * 9,
    },
    { ...limit, name: "cost_per_month_usd", unit: "usd", limit: 5, used: 0.0123, reset_ms: 864e5 * 9 },
    { ...limit, name: "concurrent_requests", unit: "concurrent_requests", used: 1, reset_ms: 5 },
    { ...limit, of: "key", limit: 0 },
    { ...limit, name: "pages_per_week" },
  ];
  expect(usageIn({ user: { limits } }).own).toEqual([
    { name: "Messages an hour (this key)", share: 1, used: "0 of 0 used", whole: null },
    {
      name: "Tokens a month",
      share: 0.2,
      used: "1,000,000 of 5,000,000 used",
      whole: "Full again in 9 days",
    },
    { name: "Answers at the same time", share: 0.01, used: "1 of 100 used", whole: null },
    { name: "Cost a month", share: 0.0123 / 5, used: "$0.0123 of $5.00 used", whole: "Full again in 9 days" },
    { name: "Messages an hour", share: 0, used: "0 of 100 used", whole: null },
    { name: "pages_per_week", share: 0, used: "0 of 100 used", whole: null },
  ]);
});

test("models are told with what was used of them this month; what is no usage is none", () => {
  const models = [{ model: "llama", requests: 1200, tokens: 34_000, cost_usd: 12.5 }];
  expect(usageIn({ user: { models } }).models).toEqual([
    { model: "llama", messages: "1,200", tokens: "34,000", cost: "$12.50" },
  ]);
  for (const body of [null, [], "<html>", { user: { limits: "none", models: [null] } }])
    expect(usageIn(body)).toEqual({ own: [], organisation: [], models: [] });
});
