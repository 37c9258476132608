import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Readiness } from "./readiness.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_790_000_000_000 }));
afterEach(() => void vi.useRealTimers());

const background = { run: (_name: string, work: Promise<unknown>) => void work };
const now = () => Date.now();

test("however many ask, the parts are asked once a second", async () => {
  const readiness = new Readiness();
  let looks = 0;
  const ask = () =>
    readiness.firstFailing(
      async () => {
        looks += 1;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return looks === 2 ? "bucket" : null;
      },
      background,
      now,
    );
  const first = Promise.all(Array.from({ length: 1_000 }, ask));
  await vi.advanceTimersByTimeAsync(300);
  expect(new Set(await first)).toEqual(new Set([null]));
  expect(looks).toBe(1);
  await vi.advanceTimersByTimeAsync(999);
  expect(await ask()).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  const second = ask();
  await vi.advanceTimersByTimeAsync(300);
  expect([await second, looks]).toEqual(["bucket", 2]);
  await vi.advanceTimersByTimeAsync(249);
  expect(await ask()).toBe("bucket");
  await vi.advanceTimersByTimeAsync(1);
  const third = ask();
  await vi.advanceTimersByTimeAsync(300);
  expect([await third, looks]).toEqual([null, 3]);
});

test("parts that say nothing are not ready, and nobody waits for ever", async () => {
  const readiness = new Readiness();
  const asked = readiness.firstFailing(() => new Promise(() => undefined), background, now);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await asked).toBe("time");
});

test("a clock that goes back keeps no old answer", async () => {
  const readiness = new Readiness();
  expect(await readiness.firstFailing(async () => "bucket", background, now)).toBe("bucket");
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(await readiness.firstFailing(async () => null, background, now)).toBeNull();
});
