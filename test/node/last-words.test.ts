/** What a failed end-to-end test is understood by: bounded, and there whatever has broken. */
import { afterEach, expect, test, vi } from "vitest";
import { closeOpen, keepAsking, lastLinesOf, lastWords } from "../e2e/last-words.ts";

const forgets: (() => void)[] = [];
const ask = (...asked: Parameters<typeof keepAsking>) => {
  const forget = keepAsking(...asked);
  forgets.push(forget);
  return forget;
};
afterEach(() => {
  vi.useRealTimers();
  for (const forget of forgets.splice(0)) forget();
});

test("all that are open are told by name; who can't be asked, or is silent, keeps no other from it", async () => {
  vi.useFakeTimers();
  ask("one", () => "shown");
  ask("two", () => Promise.reject(new Error("gone")));
  ask("three", () => new Promise<string>(() => undefined));
  ask("four", () => "closed before")();
  const told = lastWords();
  await vi.advanceTimersByTimeAsync(5000);
  expect(await told).toBe(
    "--- one\nshown\n--- two\ncan't be asked: Error: gone\n--- three\nno answer within 5000 ms",
  );
});

test("of much the end is told", async () => {
  ask("one", () => `${"a".repeat(10_000)}the end`);
  const told = await lastWords();
  expect(told.length).toBeLessThan(6100);
  expect(told).toMatch(/aathe end$/);
  const lines = lastLinesOf(Array.from({ length: 100 }, (_, at) => `${at} ${"b".repeat(1000)}`).join("\n"));
  expect(lines.split("\n").map((line) => line.slice(0, 3))).toEqual(
    Array.from({ length: 40 }, (_, at) => `${at + 60} `),
  );
  expect(lines.length).toBeLessThan(40 * 501);
});

test("what is left open is closed", async () => {
  const closed: string[] = [];
  ask(
    "one",
    () => "",
    async () => void closed.push("one"),
  );
  ask("two", () => "");
  await closeOpen();
  expect(closed).toEqual(["one"]);
});
