import { expect, test } from "vitest";
import { noAmounts } from "./bucket-protocol.ts";
import { otherModels } from "./model-counts.ts";
import { Bucket, settle } from "./simulated-bucket.ts";
import { amounts } from "./simulated-turns.ts";

test("tokens and cost are counted by model, once, in the calendar month; what is beyond the bound together", () => {
  const bucket = new Bucket();
  const receipt = bucket.grant("a");
  const use = { model: "m", requests: 1, tokens: 60, microdollars: 12 };
  for (let times = 0; times < 3; times += 1)
    bucket.do(settle("a", receipt, amounts(1, 60, 0, 12), amounts(1, 100, 1), [use]));
  bucket.do(settle("debt", null, amounts(1, 5, 0, 1), noAmounts, [{ ...use, tokens: 5, microdollars: 1 }]));
  expect(bucket.inspect().models).toEqual({
    sinceMs: Date.UTC(2027, 0, 1),
    uses: [{ model: "m", requests: 2, tokens: 65, microdollars: 13 }],
  });
  for (let index = 0; index < 100; index += 1) {
    const model = `model-${index}`;
    bucket.do(settle(`d${index}`, null, amounts(1, 1), noAmounts, [{ ...use, model, tokens: 1 }]));
  }
  bucket.rest();
  bucket.kill();
  const { uses } = bucket.inspect().models;
  expect(uses).toHaveLength(33);
  expect(uses.find(({ model }) => model === otherModels)?.tokens).toBe(69);
  expect(uses.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(165);
  bucket.now = Date.UTC(2027, 1, 1);
  expect(bucket.inspect().models.uses).toEqual([]);
});

test("a loan's reports are counted by model as they grow, also after an eviction", () => {
  const bucket = new Bucket();
  bucket.rules = [];
  const outcome = bucket.do({
    type: "reserve",
    id: "loan",
    total: amounts(10, 1_000, 10, 100),
    ttlMs: 90_000,
    lend: true,
  });
  if (outcome.type !== "granted") throw new Error(outcome.type);
  for (const [sequence, tokens] of [
    [1, 100],
    [3, 250],
    [2, 180],
    [4, 400],
  ] as const) {
    bucket.do({
      type: "settle",
      id: "loan",
      receipt: outcome.receipt,
      sequence,
      used: amounts(sequence, tokens),
      models: [{ model: "m", requests: sequence, tokens, microdollars: 0 }],
      held: amounts(10 - sequence, 1_000 - tokens, 10, 100),
      granted: amounts(10, 1_000, 10, 100),
      ended: false,
    });
    bucket.rest();
    bucket.kill();
  }
  expect(bucket.inspect().models.uses).toEqual([{ model: "m", requests: 4, tokens: 400, microdollars: 0 }]);
});

test("a model that is called as what every object has is counted like any other", () => {
  const bucket = new Bucket();
  bucket.rules = [];
  const total = amounts(10, 1_000, 10, 100);
  const outcome = bucket.do({ type: "reserve", id: "loan", total, ttlMs: 90_000, lend: true });
  if (outcome.type !== "granted") throw new Error(outcome.type);
  const models = [{ model: "constructor", requests: 1, tokens: 60, microdollars: 0 }];
  const used = amounts(1, 60);
  const held = amounts(9, 940, 10, 100);
  const { receipt } = outcome;
  bucket.do({
    type: "settle",
    id: "loan",
    receipt,
    sequence: 1,
    used,
    models,
    held,
    granted: total,
    ended: false,
  });
  bucket.rest();
  bucket.kill();
  expect(bucket.inspect().models.uses).toEqual(models);
});
