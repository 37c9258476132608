import { expect, test } from "vitest";
import type { LimitRefusal, Refusal } from "../contracts/refusal.ts";
import { lineFate } from "./line-fate.ts";

const limit: LimitRefusal = {
  scope: "user",
  limit: "tokens_per_month",
  unit: "tokens",
  class: "quota",
  capacity: 100,
  remaining: 0,
  retryAfterMs: 86_400_000,
  resetMs: 86_400_000,
  largestMaxTokens: 0,
};

test.for<[string, Refusal, string]>([
  ["an exhausted month", { kind: "limited", limit }, "wait"],
  [
    "what is larger than the limit itself",
    { kind: "limited", limit: { ...limit, retryAfterMs: Infinity } },
    "fail",
  ],
  ["no room", { kind: "overloaded", retryAfterMs: 1000 }, "wait"],
  ["a fleet that is down", { kind: "origin-unavailable", retryAfterMs: 1000, detail: "" }, "wait"],
  [
    "an object out of reach",
    { kind: "dependency-unavailable", component: "bucket", retryAfterMs: 1000, detail: "" },
    "wait",
  ],
  ["a fault of ours", { kind: "internal", detail: "" }, "again"],
  ["a revoked credential", { kind: "credential-invalid", credential: "key", detail: "revoked" }, "stop"],
  ["a wrong field", { kind: "value-invalid", param: "temperature", message: "" }, "fail"],
  ["a prompt that safety refuses", { kind: "content-refused", categories: ["violence"] }, "fail"],
  ["an answer that takes too long", { kind: "deadline-exceeded" }, "fail"],
])("%s: a line of a batch is to %s", ([, refusal, fate]) => {
  expect(lineFate(refusal).kind).toBe(fate);
});
