import { expect, test } from "vitest";
import { chainStart, PrefixCache } from "./prefix-cache.ts";
import { Scheduler, type Job } from "./scheduler.ts";

function jobs(started: string[]) {
  return (name: string, priority = 0): Job => ({
    model: "m",
    priority,
    blocks: () => 2,
    start: () => started.push(name),
  });
}

test("as many run as there are slots; the rest wait their turn, lower priority values first", () => {
  const started: string[] = [];
  const job = jobs(started);
  const scheduler = new Scheduler(1);
  const first = job("first");
  scheduler.submit(first);
  scheduler.submit(job("late", 1));
  scheduler.submit(job("second"));
  scheduler.submit(job("urgent", -1));
  expect(scheduler.counts("m")).toEqual({ running: 1, waiting: 3, blocks: 2 });
  scheduler.release(first);
  scheduler.release(first);
  expect(started).toEqual(["first", "urgent"]);
  scheduler.slots = 4;
  expect(started).toEqual(["first", "urgent", "second", "late"]);
});

test("who leaves the queue never starts", () => {
  const started: string[] = [];
  const job = jobs(started);
  const scheduler = new Scheduler(1);
  const first = job("first");
  const second = job("second");
  scheduler.submit(first);
  scheduler.submit(second);
  scheduler.release(second);
  scheduler.release(first);
  expect(started).toEqual(["first"]);
  expect(scheduler.counts("m")).toEqual({ running: 0, waiting: 0, blocks: 0 });
});

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, at) => from + at);

test("the cache holds whole blocks, never the last token, and only an unbroken beginning", () => {
  const cache = new PrefixCache(100);
  const chain = chainStart("m", "");
  expect(cache.admit(ids(40), chain)).toBe(0);
  expect(cache.admit(ids(40), chain)).toBe(32);
  expect(cache.admit(ids(32), chain)).toBe(16);
  expect(cache.admit([...ids(16), ...ids(24, 500)], chain)).toBe(16);
  expect(cache.admit(ids(40, 1), chain)).toBe(0);
  expect(cache.admit(ids(40), chainStart("m", "salt"))).toBe(0);
  expect(cache.admit(ids(40), chainStart("other", ""))).toBe(0);
  expect(cache.hitTokens).toBe(32 + 16 + 16);
});

test("the cache is bounded, and forgets what was used longest ago", () => {
  const cache = new PrefixCache(4);
  const chain = chainStart("m", "");
  cache.admit(ids(33), chain);
  cache.admit(ids(33, 1000), chain);
  cache.admit(ids(33), chain);
  cache.admit(ids(33, 2000), chain);
  expect(cache.size).toBe(4);
  expect(cache.admit(ids(33), chain)).toBe(32);
  expect(cache.admit(ids(33, 1000), chain)).toBe(0);
});
