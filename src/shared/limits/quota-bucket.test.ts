import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { BucketOperation } from "./bucket-protocol.ts";
import { Bucket, leaseMs, rules, settle } from "./simulated-bucket.ts";
import { amounts } from "./simulated-turns.ts";

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
