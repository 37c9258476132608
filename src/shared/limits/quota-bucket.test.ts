import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { BucketOperation } from "./bucket-protocol.ts";
import type { LimitRule } from "./level.ts";
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

test("twenty kills of a bucket that is hardly used leave its users most of every limit", () => {
  const bucket = new Bucket();
  bucket.rules = [
    { name: "requests_per_hour", unit: "requests", capacity: 2_000_000, windowMs: 3_600_000 },
    { name: "concurrent_requests", unit: "slots", capacity: 400, windowMs: 0 },
  ];
  for (let index = 0; index < 20; index += 1) {
    bucket.grant(`c${index}`);
    bucket.kill();
    bucket.now += 15_000;
  }
  const [requests = 0, slots = 0] = bucket.remaining();
  expect(requests).toBeGreaterThan(1_200_000);
  expect(slots).toBeGreaterThan(200);
});

test("slots that are lent by twentieths leave the head-room of the other limits small", () => {
  const bucket = new Bucket();
  bucket.rules = [
    { name: "requests_per_hour", unit: "requests", capacity: 2_000_000, windowMs: 3_600_000 },
    { name: "concurrent_requests", unit: "slots", capacity: 400, windowMs: 0 },
  ];
  for (let index = 0; index < 3; index += 1)
    bucket.do({ type: "reserve", id: `l${index}`, total: amounts(20, 0, 20), ttlMs: 90_000, lend: false });
  bucket.kill();
  expect(bucket.remaining()[0]).toBeGreaterThan(1_960_000);
  expect(bucket.remaining()[1]).toBeLessThanOrEqual(340);
});

test("a loan of a minute's limit leaves the head-room of the hour's small: twenty kills of who borrows now and then leave most of the hour", () => {
  const bucket = new Bucket();
  bucket.rules = [
    { name: "requests_per_minute", unit: "requests", capacity: 6_000, windowMs: 60_000 },
    { name: "requests_per_hour", unit: "requests", capacity: 240_000, windowMs: 3_600_000 },
    { name: "tokens_per_minute", unit: "tokens", capacity: 10_000_000, windowMs: 60_000 },
  ];
  for (let index = 0; index < 20; index += 1) {
    // More than the sixty-fourth part of the minute's limit.
    for (const loan of ["a", "b"])
      bucket.do({
        type: "reserve",
        id: `${loan}${index}`,
        total: amounts(120, 0),
        ttlMs: 90_000,
        lend: true,
      });
    bucket.kill();
    expect(bucket.remaining()[2]).toBeGreaterThan(9_000_000);
    bucket.now += 30_000;
  }
  expect(bucket.remaining()[1]).toBeGreaterThan(150_000);
});

const money: LimitRule = {
  name: "cost_per_month_usd",
  unit: "microdollars",
  capacity: 5_000_000_000,
  windowMs: 30 * 86_400_000,
  calendar: { period: "month", timeZone: "UTC" },
};

test("two hundred kills in a month, as many as there are deploys, leave an org most of the money that it may spend", () => {
  const bucket = new Bucket();
  bucket.rules = [money];
  let spent = 0;
  for (let index = 0; index < 200; index += 1) {
    for (let turn = 0; turn < 5; turn += 1) {
      const id = `c${index}.${turn}`;
      const held = amounts(1, 0, 0, 300_000);
      const outcome = bucket.do({ type: "reserve", id, total: held, ttlMs: 600_000, lend: false });
      if (outcome.type !== "granted") throw new Error(outcome.type);
      bucket.do(settle(id, outcome.receipt, amounts(1, 0, 0, 100_000), held));
      bucket.commit();
      spent += 100_000;
      bucket.now += 1_000;
    }
    bucket.kill();
    bucket.now += 3_000_000;
  }
  const [left = 0] = bucket.remaining();
  expect(left).toBeLessThanOrEqual(money.capacity - spent);
  expect(left).toBeGreaterThan(money.capacity - spent - 0.06 * money.capacity);
});

test("two hundred kills leave most of a month's tokens as well, where no shorter window holds them", () => {
  const bucket = new Bucket();
  bucket.rules = [{ ...money, name: "tokens_per_month", unit: "tokens", capacity: 1_000_000_000 }];
  for (let index = 0; index < 200; index += 1) {
    for (let turn = 0; turn < 3; turn += 1) {
      const outcome = bucket.admit(`c${index}.${turn}`, 2_000);
      if (outcome.type !== "granted") throw new Error(outcome.type);
      bucket.do(settle(`c${index}.${turn}`, outcome.receipt, amounts(1, 1_000), amounts(1, 2_000, 1)));
      bucket.commit();
    }
    bucket.kill();
    bucket.now += 3_000_000;
  }
  expect(bucket.remaining()[0]).toBeGreaterThan(900_000_000);
});

test("money that is lent by thousandths has more head-room while it is, never more than a two-hundredth, and less again behind it", () => {
  const bucket = new Bucket();
  bucket.rules = [money];
  const lend = (id: string): void => {
    const total = amounts(0, 0, 0, 5_000_000);
    bucket.do({ type: "reserve", id, total, ttlMs: 90_000, lend: false });
  };
  const headRoom = (): number => {
    const [before = 0] = bucket.remaining();
    return before - bucket.leftIfKilled();
  };
  for (let index = 0; index < 40; index += 1) lend(`l${index}`);
  // Five at a time in the end: no write for each.
  expect(bucket.writes).toBeLessThan(20);
  expect(headRoom()).toBeLessThanOrEqual(25_000_000);
  expect(headRoom()).toBeGreaterThan(2_500_000);
  for (let second = 0; second < 10; second += 1) bucket.commit();
  expect(headRoom()).toBeLessThanOrEqual(money.capacity / 4096 + 1);
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
