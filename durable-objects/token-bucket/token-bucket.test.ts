import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { BucketBatch, BucketOperation } from "../../src/shared/limits/bucket-protocol.ts";
import { rememberMs } from "../../src/shared/limits/bucket-durability.ts";
import type { LimitRule } from "../../src/shared/limits/level.ts";
import { amounts } from "../../src/shared/limits/simulated-turns.ts";
import { bucketStub } from "./bucket-stub.ts";

const hourly: LimitRule = { name: "requests_per_hour", unit: "requests", capacity: 100, windowMs: 3_600_000 };
const tokens: LimitRule = { name: "tokens_per_minute", unit: "tokens", capacity: 50_000, windowMs: 60_000 };
const rules = [hourly, tokens];

afterEach(() => {
  vi.useRealTimers();
});

function bucket(name: string = crypto.randomUUID()) {
  return { name, stub: () => bucketStub(env.TOKEN_BUCKET, { name, jurisdiction: "none" }, false) };
}

function batch(operations: BucketOperation[], acknowledge: "now" | "soon" = "now"): BucketBatch {
  return { version: 1, rules, leaseMs: 60_000, timeZone: "UTC", operations, acknowledge };
}

function reserve(id: string, tokens = 100): BucketOperation {
  return { type: "reserve", id, total: amounts(1, tokens), ttlMs: 60_000, lend: false };
}

function settle(id: string, receipt: number | null, tokens: number, granted = 100): BucketOperation {
  return {
    type: "settle",
    id,
    receipt,
    sequence: 1,
    used: amounts(1, tokens),
    models: [],
    held: amounts(0, 0),
    granted: amounts(1, granted),
    ended: true,
  };
}

async function admit(
  stub: ReturnType<ReturnType<typeof bucket>["stub"]>,
  id: string,
): Promise<number | null> {
  const { outcomes } = await stub.apply(batch([reserve(id)]));
  return outcomes[0]?.type === "granted" ? outcomes[0].receipt : null;
}

test("200 at once on 100 requests an hour: 100 are let in, and what is used equals what was settled", async () => {
  const { stub } = bucket();
  const grants = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => ({ index, receipt: await admit(stub(), `c${index}`) })),
  );
  const admitted = grants.filter((grant) => grant.receipt !== null);
  expect(admitted).toHaveLength(100);
  await stub().apply(
    batch(admitted.map((grant) => settle(`c${grant.index}`, grant.receipt, 10 + grant.index))),
  );
  const { usage } = await stub().inspect(rules);
  expect(usage.settled).toMatchObject({
    requests: 100,
    tokens: admitted.reduce((sum, grant) => sum + 10 + grant.index, 0),
  });
  expect(usage.reserved).toEqual(amounts(0, 0));
});

test("a kill between any two requests never lets more in than the limit, and no settlement is lost or counted twice", async () => {
  const { stub } = bucket();
  let admitted = 0;
  let delivered = 0;
  for (let round = 0; round < 30; round += 1) {
    for (let index = 0; index < 5; index += 1) {
      const id = `r${round}-${index}`;
      const receipt = await admit(stub(), id);
      if (receipt === null) continue;
      admitted += 1;
      if (index === 2) await abortAllDurableObjects();
      await stub().apply(batch([settle(id, receipt, 60)]));
      await stub().apply(batch([settle(id, receipt, 60)]));
      delivered += 60;
    }
    const { usage } = await stub().inspect(rules);
    expect(usage.settled).toMatchObject({ requests: admitted, tokens: delivered });
  }
  expect(admitted).toBeLessThanOrEqual(100);
  expect(admitted).toBeGreaterThan(0);
});

test("an eviction in the middle of reservations keeps their charge", async () => {
  const { stub } = bucket();
  for (let index = 0; index < 90; index += 1) await admit(stub(), `c${index}`);
  await evictDurableObject(stub());
  const after = await Promise.all(Array.from({ length: 50 }, (_, index) => admit(stub(), `d${index}`)));
  expect(after.filter((receipt) => receipt !== null).length).toBeLessThanOrEqual(10);
});

test("reserving writes one row a block, not one a request", async () => {
  const { stub } = bucket();
  const wide: LimitRule[] = [{ ...hourly, capacity: 100_000 }];
  const writes = await runInDurableObject(stub(), async (instance, state) => {
    const put = vi.spyOn(state.storage.kv, "put");
    for (let index = 0; index < 1_000; index += 1)
      await instance.apply({
        version: 1,
        rules: wide,
        leaseMs: 60_000,
        timeZone: "UTC",
        operations: [reserve(`c${index}`)],
        acknowledge: "soon",
      });
    return put.mock.calls.length;
  });
  expect(writes).toBe(1);
});

test("a settlement is acknowledged only when it is on disk", async () => {
  const { stub } = bucket();
  const receipt = await admit(stub(), "a");
  await stub().apply(batch([settle("a", receipt, 40)], "soon"));
  await abortAllDurableObjects();
  const { usage } = await stub().inspect(rules);
  expect(usage.settled).toMatchObject({ requests: 1, tokens: 40 });
});

test("spoil the memory, kill it: storage wins", async () => {
  const { stub } = bucket();
  const receipt = await admit(stub(), "a");
  await stub().apply(batch([settle("a", receipt, 40)]));
  await runInDurableObject(stub(), (instance) => {
    Object.assign(instance, { apply: () => ({ outcomes: [] }) });
  });
  await abortAllDurableObjects();
  expect((await stub().inspect(rules)).usage.settled.tokens).toBe(40);
});

test("a bucket that was only looked at leaves no storage", async () => {
  const { stub } = bucket();
  await stub().inspect(rules);
  await runInDurableObject(stub(), async (_, state) => {
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});

test("the alarm keeps a bucket with something to remember, and deletes the storage of an idle one", async () => {
  const { stub } = bucket();
  const receipt = await admit(stub(), "a");
  await stub().apply(batch([settle("a", receipt, 40)]));
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  expect((await stub().inspect(rules)).usage.settled.tokens).toBe(40);

  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + rememberMs + 3_600_000 });
  expect(await runDurableObjectAlarm(stub())).toBe(true);
  await runInDurableObject(stub(), async (_, state) => {
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});
