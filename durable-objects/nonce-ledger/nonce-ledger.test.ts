import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { nonceLedger } from "./nonce-ledger-port.ts";

const windowMs = 300_000;

afterEach(() => {
  vi.useRealTimers();
});

function stub(name: string = crypto.randomUUID()) {
  return { name, get: () => env.NONCE_LEDGER.getByName(name) };
}

async function remember(one: ReturnType<typeof stub>, nonce: string, untilMs = Date.now() + windowMs) {
  return (await one.get().remember({ v: 1, nonce, untilMs })).result;
}

test("of a hundred calls at once with one nonce, one is new", async () => {
  const ledger = nonceLedger(env.NONCE_LEDGER, "local");
  const use = {
    tenant: crypto.randomUUID(),
    jurisdiction: "none" as const,
    keyId: "k",
    nonce: crypto.randomUUID(),
    untilMs: Date.now() + windowMs,
  };
  const answers = await Promise.all(Array.from({ length: 100 }, () => ledger.remember(use)));
  expect(answers.filter((answer) => answer === "new")).toHaveLength(1);
  expect(await ledger.remember({ ...use, keyId: "other" })).toBe("new");
  expect(await ledger.remember({ ...use, tenant: crypto.randomUUID() })).toBe("new");
});

test("an eviction or a kill forgets nothing", async () => {
  const one = stub();
  expect(await remember(one, "a")).toBe("new");
  await evictDurableObject(one.get());
  expect(await remember(one, "a")).toBe("seen");
  await abortAllDurableObjects();
  expect(await remember(one, "a")).toBe("seen");
  expect(await remember(one, "b")).toBe("new");
});

test("the same nonce under a later signature is still the same nonce", async () => {
  const one = stub();
  const now = Date.now();
  expect(await remember(one, "a", now + 1_000)).toBe("new");
  expect(await remember(one, "a", now + 1_200_000)).toBe("seen");
});

test("it is remembered until its signature is too old; then storage goes back to nothing", async () => {
  const one = stub();
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  expect(await remember(one, "a", now + windowMs)).toBe("new");
  vi.setSystemTime(now + windowMs - 1);
  await runDurableObjectAlarm(one.get());
  expect(await remember(one, "a", now + windowMs)).toBe("seen");
  vi.setSystemTime(now + 1_900_000);
  expect(await runDurableObjectAlarm(one.get())).toBe(true);
  await runInDurableObject(one.get(), async (_, state) => {
    const tables = state.storage.sql
      .exec("SELECT name FROM sqlite_master WHERE name LIKE 'nonces%'")
      .toArray();
    expect([tables, await state.storage.getAlarm()]).toEqual([[], null]);
  });
});

test("a signature whose nonces were dropped meanwhile is not new, however late its request comes to the end", async () => {
  const one = stub();
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  expect(await remember(one, "a", now + windowMs)).toBe("new");
  vi.setSystemTime(now + 1_300_000);
  expect(await runDurableObjectAlarm(one.get())).toBe(true);
  expect(await remember(one, "a", now + windowMs)).toBe("over");
  // Nor where a clock that is behind comes next.
  vi.setSystemTime(now + windowMs + 1);
  expect(await remember(one, "b", now + windowMs)).toBe("over");
});

test("a nonce costs one row written", async () => {
  const one = stub();
  await remember(one, "first");
  await runInDurableObject(one.get(), (_, state) => {
    const [{ name } = { name: "" }] = state.storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name LIKE 'nonces%'")
      .toArray();
    expect(state.storage.sql.exec(`INSERT INTO ${name} VALUES ('second')`).rowsWritten).toBe(1);
  });
});
