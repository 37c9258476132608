import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { callObject } from "./call-object.ts";
import { ObjectBreaker } from "./object-breaker.ts";

const settings = { failures: 3, openMs: 1000, maxOpenMs: 4000 };

function opened(nowMs = 0, openMs = settings.openMs): ObjectBreaker {
  const breaker = new ObjectBreaker({ ...settings, openMs, maxOpenMs: 4 * openMs });
  for (const name of ["a", "b", "c"]) breaker.failed(name, nowMs);
  return breaker;
}

test("one object that fails again and again shuts nobody else out, and an answer makes all good", () => {
  const breaker = new ObjectBreaker(settings);
  for (let at = 0; at < 100; at += 1) breaker.failed("a", at);
  breaker.failed("b", 100);
  expect(breaker.waitMs(100)).toBe(0);
  breaker.succeeded();
  breaker.failed("c", 100);
  expect(breaker.waitMs(100)).toBe(0);
});

test("different ones in a row open it; one trial a period; a failed one doubles the wait, an answer closes it", () => {
  const breaker = opened();
  expect(breaker.waitMs(999)).toBe(1);
  expect(breaker.waitMs(1000)).toBe(0);
  expect(breaker.waitMs(1000)).toBe(1000);
  breaker.failed("d", 1000);
  expect(breaker.waitMs(1001)).toBe(1999);
  for (let at = 0; at < 5; at += 1) breaker.failed("d", 1000);
  expect(breaker.waitMs(1000)).toBe(4000);
  expect(breaker.waitMs(5000)).toBe(0);
  breaker.succeeded();
  expect(breaker.waitMs(5001)).toBe(0);
});

test("five different ones in a row open it for a second, which doubles to thirty; nobody is asked meanwhile, and it is said when to come back", async () => {
  const breaker = new ObjectBreaker();
  for (const name of ["a", "b", "c", "d"]) breaker.failed(name, Date.now());
  expect(breaker.waitMs(Date.now())).toBe(0);
  const waits: number[] = [];
  for (const name of ["e", "f", "g", "h", "i", "j", "k"]) {
    breaker.failed(name, 0);
    waits.push(breaker.waitMs(0));
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  breaker.succeeded();
  for (const name of ["a", "b", "c", "d", "e"]) breaker.failed(name, Date.now());
  let calls = 0;
  const outcome = await callObject(
    async () => {
      calls += 1;
    },
    { breaker, name: "f" },
  );
  expect(outcome).toMatchObject({ ok: false, error: { overloaded: false, retryAfterMs: 1000 } });
  expect(calls).toBe(0);
});

test("only the platform's own failures count: not an overload, not what our code threw", async () => {
  const breaker = new ObjectBreaker({ ...settings, failures: 1 });
  const failing = (flags: object) => () => Promise.reject(Object.assign(new Error("broken"), flags));
  await callObject(failing({}), { breaker, name: "a" });
  await callObject(failing({ retryable: true, overloaded: true }), { breaker, name: "b" });
  expect(breaker.waitMs(Date.now())).toBe(0);
  await callObject(failing({ retryable: true }), { breaker, name: "c" });
  expect(breaker.waitMs(Date.now())).toBeGreaterThan(0);
});

test("a trial that our own code makes throw reached its object: it closes the breaker; one that never left does not", async () => {
  const local = opened(Date.now() - 60_000, 60_000);
  await callObject(() => Promise.reject(new Error("not sent")), { breaker: local, name: "e" });
  expect(local.waitMs(Date.now())).toBeGreaterThan(0);
  const breaker = opened(Date.now() - 60_000, 60_000);
  const bucket = env.TOKEN_BUCKET.getByName(crypto.randomUUID());
  const unknown = { v: 9 } as unknown as Parameters<typeof bucket.openSocket>[0];
  const outcome = await callObject(async () => bucket.openSocket(unknown, 1), { breaker, name: "e" });
  expect(outcome).toMatchObject({ ok: false, error: { detail: expect.stringContaining("is not known") } });
  expect(breaker.waitMs(Date.now())).toBe(0);
});
