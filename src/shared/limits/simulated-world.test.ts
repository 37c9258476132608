import { expect, test } from "vitest";
import { FakeClock } from "./simulated-world.ts";

test("timers go off in time's order, those of one time in the order in which they were set, cancelled ones never", async () => {
  const clock = new FakeClock();
  const startMs = clock.now;
  const fired: string[] = [];
  const set = (name: string, ms: number) =>
    clock.setTimer(() => fired.push(`${name} ${clock.now - startMs}`), ms);
  set("late", 30);
  const cancel = set("never", 5);
  set("first", 10);
  set("second", 10);
  set("soon", 2.5);
  clock.setTimer(() => set("from the first", 0), 10);
  cancel();
  expect(clock.idleMs).toBe(2.5);
  await clock.advance(20);
  expect(fired).toEqual(["soon 2.5", "first 10", "second 10", "from the first 10"]);
  expect(clock.now - startMs).toBe(20);
  await clock.advance(10);
  expect(fired.at(-1)).toBe("late 30");
  expect(clock.idleMs).toBeNull();
});
