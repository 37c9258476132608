import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Amounts,
  type BucketOperation,
  type BucketOutcome,
  type ModelUse,
  noAmounts,
} from "./bucket-protocol.ts";
import { KeptBucket } from "./kept-bucket.ts";
import type { LimitRule } from "./level.ts";
import { otherModels } from "./model-counts.ts";
import { amounts } from "./simulated-turns.ts";

/** Limits that nothing leaks from: a month's tokens and money, and what runs at once. */
const month = { windowMs: 30 * 86_400_000, calendar: { period: "month", timeZone: "UTC" } } as const;
const rules: LimitRule[] = [
  { name: "tokens_per_month", unit: "tokens", capacity: 20_000, ...month },
  { name: "concurrent_requests", unit: "slots", capacity: 6, windowMs: 0 },
  { name: "cost_per_month_usd", unit: "microdollars", capacity: 50_000, ...month },
];
const leaseMs = 660_000;

class Bucket {
  disk: string | null = null;
  now = Date.UTC(2027, 0, 15);
  writes = 0;
  rules = rules;
  #kept = new KeptBucket(null, this.now);

  /** The object's memory is gone. */
  kill(): void {
    this.#kept = new KeptBucket(this.disk, this.now);
  }

  rest(): void {
    this.#write(this.#kept.rest(this.now));
  }

  do(operation: BucketOperation): BucketOutcome {
    const { reply, write } = this.#kept.apply(
      {
        version: 1,
        rules: this.rules,
        leaseMs,
        timeZone: "UTC",
        operations: [operation],
        acknowledge: "soon",
      },
      this.now,
    );
    this.#write(write);
    const [outcome] = reply.outcomes;
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  }

  admit(id: string, tokens: number, microdollars = 0): BucketOutcome {
    const total = amounts(1, tokens, 1, microdollars);
    return this.do({ type: "reserve", id, total, ttlMs: 7_200_000, lend: false });
  }

  grant(id: string, tokens = 100, microdollars = 0): number {
    const outcome = this.admit(id, tokens, microdollars);
    if (outcome.type !== "granted") throw new Error(outcome.type);
    return outcome.receipt;
  }

  /** Everything up to now is on disk, as within a second of any settlement. */
  commit(): void {
    this.#write(this.#kept.commit(this.now));
  }

  inspect() {
    return this.#kept.inspect(this.rules, this.now);
  }

  remaining(): number[] {
    return this.inspect().limits.map((limit) => limit.remaining);
  }

  forgetAtMs(): number {
    return this.#kept.forgetAtMs();
  }

  #write(text: string | null): void {
    if (text === null) return;
    this.disk = text;
    this.writes += 1;
  }
}

function settle(
  id: string,
  receipt: number | null,
  used: Amounts,
  granted: Amounts = amounts(1, 100, 1),
  models: readonly ModelUse[] = [],
): BucketOperation {
  return { type: "settle", id, receipt, sequence: 1, used, models, held: noAmounts, granted, ended: true };
}

test("a slot is free again with the settlement, and without one when its lease is over", () => {
  const bucket = new Bucket();
  const receipts = Array.from({ length: 6 }, (_, index) => bucket.grant(`c${index}`));
  expect(bucket.admit("more", 1)).toMatchObject({
    type: "refused",
    limit: "concurrent_requests",
    unit: "slots",
    capacity: 6,
    remaining: 0,
    retryAfterMs: 1_000,
    fittingTokens: 0,
  });
  bucket.do(settle("c0", receipts[0] ?? null, amounts(1, 40)));
  expect(bucket.admit("more", 1).type).toBe("granted");
  bucket.now += leaseMs;
  expect(bucket.remaining()[1]).toBe(6);
  // What was never settled stays charged in all but its slot.
  expect(bucket.inspect().usage.reserved).toMatchObject({ requests: 6, tokens: 501, slots: 0 });
  bucket.do(settle("c1", receipts[1] ?? null, amounts(1, 30)));
  expect(bucket.remaining()[1]).toBe(6);
});

test("a month's tokens come back in full with every settlement, in any order, also after a kill", () => {
  const bucket = new Bucket();
  const receipts = [900, 800, 700, 600].map((tokens, index) => bucket.grant(`c${index}`, tokens));
  bucket.do(settle("c3", receipts[3] ?? null, amounts(1, 10), amounts(1, 600, 1)));
  bucket.do(settle("c0", receipts[0] ?? null, amounts(1, 20), amounts(1, 900, 1)));
  expect(bucket.remaining()[0]).toBe(20_000 - 30 - 800 - 700);
  bucket.commit();
  bucket.kill();
  bucket.do(settle("c1", receipts[1] ?? null, amounts(1, 30), amounts(1, 800, 1)));
  bucket.do(settle("c2", receipts[2] ?? null, amounts(1, 40), amounts(1, 700, 1)));
  // The head-room of the last write is the price of the kill: a two-hundredth of the limit.
  expect(bucket.remaining()[0]).toBe(20_000 - 100 - 100);
  expect(bucket.inspect().usage).toMatchObject({
    settled: { requests: 4, tokens: 100 },
    reserved: { requests: 0, tokens: 0, slots: 1 },
  });
  bucket.now += leaseMs;
  expect(bucket.remaining()[1]).toBe(6);
});

test("money is a limit of its own, and the refusal says what would fit of each", () => {
  const bucket = new Bucket();
  bucket.grant("a", 1_000, 49_000);
  expect(bucket.admit("b", 1_000, 2_000)).toMatchObject({
    type: "refused",
    limit: "cost_per_month_usd",
    unit: "microdollars",
    capacity: 50_000,
    remaining: 1_000,
    resetMs: Date.UTC(2027, 1, 1) - Date.UTC(2027, 0, 15),
    fittingTokens: 19_000,
    fittingMicrodollars: 1_000,
  });
  expect(bucket.admit("free", 1_000, 0).type).toBe("granted");
});

test("what was set aside before the month ended is of that month", () => {
  const bucket = new Bucket();
  bucket.now = Date.UTC(2027, 0, 31, 23, 59, 59);
  const receipt = bucket.grant("a", 5_000);
  bucket.now += 2_000;
  expect(bucket.remaining()[0]).toBe(20_000);
  bucket.grant("b", 1_000);
  bucket.do(settle("a", receipt, amounts(1, 500), amounts(1, 5_000, 1)));
  expect(bucket.remaining()[0]).toBe(19_000);
});

test("a kill just after the month began does not bring back what was charged to the new one", () => {
  const bucket = new Bucket();
  bucket.now = Date.UTC(2027, 0, 31, 23, 59, 50);
  bucket.grant("a", 5_000);
  bucket.commit();
  bucket.now += 11_000;
  bucket.grant("b", 50);
  bucket.kill();
  expect(bucket.remaining()[0]).toBeLessThanOrEqual(19_950);
});

test("a bucket is remembered to the end of its month, and no longer", () => {
  const bucket = new Bucket();
  const receipt = bucket.grant("a");
  bucket.do(settle("a", receipt, amounts(1, 10)));
  expect(bucket.forgetAtMs()).toBe(Date.UTC(2027, 1, 1));
  bucket.rules = rules.filter((rule) => rule.calendar === undefined);
  const short = new Bucket();
  short.rules = bucket.rules;
  const other = short.grant("a");
  short.do(settle("a", other, amounts(1, 10)));
  expect(short.forgetAtMs()).toBe(short.now + 86_400_000);
});

test("one after the other writes seldom: a freed slot is reused below the mark", () => {
  const bucket = new Bucket();
  bucket.rules = rules.map((rule) => ({ ...rule, capacity: rule.capacity * 100 }));
  for (let index = 0; index < 200; index += 1) {
    const receipt = bucket.grant(`c${index}`, 10);
    bucket.do(settle(`c${index}`, receipt, amounts(1, 5), amounts(1, 10, 1)));
  }
  expect(bucket.writes).toBeLessThanOrEqual(4);
});

test("settlements that were counted, lost in a kill and sent again don't give back twice", () => {
  const bucket = new Bucket();
  bucket.rules = rules.map((rule) => (rule.unit === "slots" ? { ...rule, capacity: 400 } : rule));
  const sent: BucketOperation[] = [];
  for (let index = 0; index < 12; index += 1) {
    const receipt = bucket.grant(`c${index}`, 20);
    const operation = settle(`c${index}`, receipt, amounts(1, 0), amounts(1, 20, 1));
    bucket.do(operation);
    sent.push(operation);
  }
  // What they gave back was charged to others, which still run.
  for (let index = 0; index < 5; index += 1) bucket.grant(`d${index}`, 20);
  bucket.kill();
  for (const operation of sent) bucket.do(operation);
  expect(bucket.remaining()[0]).toBeLessThanOrEqual(20_000 - 100);
  expect(bucket.remaining()[1]).toBeLessThanOrEqual(400 - 5);
});

const step = fc.record({
  action: fc.constantFrom("admit", "admit", "admit", "settle", "settle", "again", "kill", "commit", "rest"),
  tokens: fc.integer({ min: 1, max: 20 }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  waitMs: fc.integer({ min: 0, max: 40_000 }),
});

test("kills between any two operations, settlements that were counted and lost and come again: never above a limit", () => {
  // Small turns stay below the marks of one write for long, large ones come near the limits.
  const world = fc.constantFrom({ scale: 1, slots: 6 }, { scale: 1, slots: 200 }, { scale: 200, slots: 6 });
  fc.assert(
    fc.property(world, fc.array(step, { maxLength: 60 }), ({ scale, slots }, steps) => {
      const bucket = new Bucket();
      bucket.rules = rules.map((rule) => (rule.unit === "slots" ? { ...rule, capacity: slots } : rule));
      const running: { id: string; receipt: number; tokens: number }[] = [];
      const unacknowledged: BucketOperation[] = [];
      let delivered = 0;
      for (const [index, { action, tokens: size, share, waitMs }] of steps.entries()) {
        const tokens = size * scale;
        // All within a lease: whoever runs longer is cut off by its deadline.
        bucket.now += index < 12 ? waitMs : 100;
        if (action === "admit") {
          const outcome = bucket.admit(`c${index}`, tokens, tokens * 2);
          if (outcome.type === "granted") running.push({ id: `c${index}`, receipt: outcome.receipt, tokens });
        } else if (action === "settle") {
          const turn = running.shift();
          if (turn === undefined) continue;
          const used = Math.floor(turn.tokens * share);
          delivered += used;
          const operation = settle(
            turn.id,
            turn.receipt,
            amounts(1, used, 0, used * 2),
            amounts(1, turn.tokens, 1, turn.tokens * 2),
          );
          bucket.do(operation);
          unacknowledged.push(operation);
        } else if (action === "again") for (const operation of unacknowledged) bucket.do(operation);
        else if (action === "kill") bucket.kill();
        else if (action === "rest") bucket.rest();
        else {
          bucket.commit();
          unacknowledged.length = 0;
        }
        expect(running.length).toBeLessThanOrEqual(slots);
        const held = running.reduce((sum, turn) => sum + turn.tokens, 0);
        expect(delivered + held).toBeLessThanOrEqual(20_000);
        const [tokensLeft = 0, slotsLeft = 0, moneyLeft = 0] = bucket.remaining();
        expect(tokensLeft).toBeLessThanOrEqual(20_000 - delivered - held);
        expect(moneyLeft).toBeLessThanOrEqual(50_000 - 2 * (delivered + held));
        expect(slotsLeft).toBeLessThanOrEqual(slots - running.length);
      }
    }),
    { numRuns: 2_000 },
  );
});

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
