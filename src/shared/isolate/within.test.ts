import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { timedOut, within } from "./within.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is done in time is told, a failure too, and no timer is left behind", async () => {
  expect(await within(Promise.resolve("done"), 1000)).toBe("done");
  await expect(within(Promise.reject(new Error("down")), 1000)).rejects.toThrow("down");
  expect(vi.getTimerCount()).toBe(0);
});

test("what takes longer is not waited for, and its late failure is nobody's", async () => {
  const work = Promise.withResolvers<string>();
  const late = within(work.promise, 1000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await late).toBe(timedOut);
  // Unhandled, it would end the test's process.
  work.reject(new Error("down"));
  await vi.advanceTimersByTimeAsync(1);
});
