import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SharedLoads } from "./shared-load.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lostForEver = () => new Promise<string>(() => undefined);
const nothing = { run: () => undefined };

test("requests that ask at the same time share one load", async () => {
  const loads = new SharedLoads<string>(1000);
  let begun = 0;
  const begin = async () => `load ${(begun += 1)}`;
  const answers = await Promise.all(Array.from({ length: 50 }, () => loads.load("key", begin, nothing)));
  expect(new Set(answers)).toEqual(new Set(["load 1"]));
  expect(await loads.load("key", begin, nothing)).toBe("load 2");
});

test("the load is registered with the request that began it, at once", () => {
  const loads = new SharedLoads<string>(1000);
  const registered: string[] = [];
  void loads.load("key", lostForEver, { run: (name) => void registered.push(name) });
  expect(registered).toEqual(["load key"]);
});

test("when the request that began it is reset, the others wait a bounded time and share one new load", async () => {
  const loads = new SharedLoads<string>(1000);
  void loads.load("key", lostForEver, nothing);
  let begun = 0;
  const begin = async () => {
    begun += 1;
    const name = `load ${begun}`;
    await new Promise((resolve) => setTimeout(resolve, 10));
    return name;
  };
  const waiting = Array.from({ length: 20 }, () => loads.load("key", begin, nothing));
  await vi.advanceTimersByTimeAsync(999);
  expect(begun).toBe(0);
  await vi.advanceTimersByTimeAsync(11);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["load 1"]));
});

test("when the second one is lost as well, each loads for himself", async () => {
  const loads = new SharedLoads<string>(1000);
  void loads.load("key", lostForEver, nothing);
  const second = loads.load("key", lostForEver, nothing);
  const third = loads.load("key", async () => "own", nothing);
  await vi.advanceTimersByTimeAsync(2000);
  expect(await third).toBe("own");
  expect(await Promise.race([second, Promise.resolve("pending")])).toBe("pending");
});

test("a load that fails fails for all who share it, and is not kept", async () => {
  const loads = new SharedLoads<string>(1000);
  const swallow = { run: (_name: string, work: Promise<unknown>) => void work.catch(() => undefined) };
  const failing = async (): Promise<string> => {
    throw new Error("down");
  };
  const both = [loads.load("key", failing, swallow), loads.load("key", failing, swallow)];
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await loads.load("key", async () => "up", swallow)).toBe("up");
});
