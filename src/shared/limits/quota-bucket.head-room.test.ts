/** What kills cost the users of a bucket: the head-room that it wrote ahead, never more than a small part of a limit. */
import { expect, test } from "vitest";
import type { LimitRule } from "./level.ts";
import { Bucket, settle } from "./simulated-bucket.ts";
import { amounts } from "./simulated-turns.ts";

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
