import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { MetricDelivery } from "../../src/shared/telemetry/metrics/hub-protocol.ts";
import { MetricsHub } from "./metrics-hub.ts";

afterEach(() => {
  vi.useRealTimers();
});

function hub() {
  const name = crypto.randomUUID();
  // Made anew each time: a stub of an aborted object stays broken.
  return () => env.METRICS_HUB.getByName(name);
}

function hits(
  source: string,
  acknowledge: MetricDelivery["acknowledge"],
  ...sequences: number[]
): MetricDelivery {
  return {
    v: 1,
    source,
    acknowledge,
    batches: sequences.map((sequence) => ({
      sequence,
      sums: [{ metric: "cache", series: [{ labels: "hit", values: [1] }] }],
    })),
  };
}

async function total(stub: DurableObjectStub<MetricsHub>): Promise<number> {
  return (await stub.read()).sums[0]?.series[0]?.values[0] ?? 0;
}

test("each batch counts once, however often it comes", async () => {
  const stub = hub();
  expect(await stub().deliver(hits("a", "now", 1, 2))).toEqual({ result: "kept", through: 2 });
  expect(await stub().deliver(hits("a", "now", 1, 2, 3))).toEqual({ result: "kept", through: 3 });
  expect(await stub().deliver(hits("a", "now", 2))).toEqual({ result: "kept", through: 3 });
  expect(await stub().deliver(hits("b", "now", 1))).toEqual({ result: "kept", through: 1 });
  expect(await total(stub())).toBe(4);
});

test("what was acknowledged survives a kill, what was not comes again and counts once", async () => {
  const stub = hub();
  vi.useFakeTimers({ toFake: ["Date", "setTimeout"] });
  await stub().deliver(hits("a", "soon", 1));
  // Within a second of that write: this one waits for the next, which never comes.
  const second = stub()
    .deliver(hits("a", "soon", 2))
    .then(
      () => "kept",
      () => "lost",
    );
  await abortAllDurableObjects();
  expect(await second).toBe("lost");
  expect(await total(stub())).toBe(1);
  await stub().deliver(hits("a", "now", 2));
  await stub().deliver(hits("a", "now", 1, 2));
  expect(await total(stub())).toBe(2);
});

test("spoil the memory, evict: storage wins, for the sums and for who was counted how far", async () => {
  const stub = hub();
  await stub().deliver(hits("a", "now", 1, 2));
  await runInDurableObject(stub(), async (instance, state) => {
    const put = vi.spyOn(state.storage.kv, "put").mockImplementation(() => undefined);
    await instance.deliver(hits("a", "now", 3));
    put.mockRestore();
  });
  expect(await total(stub())).toBe(3);
  await evictDurableObject(stub());
  expect(await total(stub())).toBe(2);
  expect(await stub().deliver(hits("a", "now", 2))).toEqual({ result: "kept", through: 2 });
  expect(await total(stub())).toBe(2);
});

test("an eviction waits for the write of what came in this second", async () => {
  const stub = hub();
  await stub().deliver(hits("a", "soon", 1));
  const kept = stub().deliver(hits("a", "soon", 2));
  await Promise.all([kept, evictDurableObject(stub())]);
  expect(await total(stub())).toBe(2);
});

test("a counter that was shown never goes back: reading writes first", async () => {
  const stub = hub();
  await stub().deliver(hits("a", "soon", 1));
  const waiting = stub().deliver(hits("a", "soon", 2));
  const shown = await total(stub());
  await waiting;
  await abortAllDurableObjects();
  expect([shown, await total(stub())]).toEqual([2, 2]);
});

test("a hundred isolates in one second are two writes, and none is acknowledged before its own", async () => {
  const stub = hub();
  await runInDurableObject(stub(), async (instance, state) => {
    const writes = vi.spyOn(state.storage.kv, "put");
    const seen = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        await instance.deliver(hits(`isolate ${at}`, "soon", 1));
        return writes.mock.calls.length;
      }),
    );
    expect(writes).toHaveBeenCalledTimes(2);
    // The first writes at once, all others wait for the second.
    expect(seen).toEqual([1, ...Array.from({ length: 99 }, () => 2)]);
  });
  expect(await total(stub())).toBe(100);
});

test("after a write that failed nothing is acknowledged until one succeeds", async () => {
  const stub = hub();
  await runInDurableObject(stub(), async (instance, state) => {
    const put = vi.spyOn(state.storage.kv, "put").mockImplementation(() => {
      throw new Error("disk full");
    });
    expect(() => instance.deliver(hits("a", "now", 1))).toThrow("disk full");
    expect(() => instance.read()).toThrow("disk full");
    put.mockRestore();
    expect(await instance.deliver(hits("a", "now", 1))).toEqual({ result: "kept", through: 1 });
  });
  await abortAllDurableObjects();
  expect(await total(stub())).toBe(1);
});

test("what is bound for the long run gets the totals that are on disk; one that fails costs nothing that was counted", async () => {
  const stub = hub();
  await runInDurableObject(stub(), async (_, state) => {
    const points: AnalyticsEngineDataPoint[] = [];
    const onDisk = (): unknown => JSON.stringify([...state.storage.kv.list()]);
    const writeDataPoint = vi.fn<AnalyticsEngineDataset["writeDataPoint"]>((point = {}) => {
      expect(onDisk()).toContain("cache");
      points.push(point);
    });
    const bound = { ...env, ANALYTICS: { writeDataPoint } };
    const first = new MetricsHub(state, bound);
    await first.deliver(hits("a", "now", 1, 2));
    await first.deliver(hits("a", "now", 3));
    const name = expect.stringMatching(/./) as string;
    expect(points).toEqual([{ indexes: ["edgewise_cache_total"], blobs: [name, "hit"], doubles: [2] }]);
    const faults = vi.spyOn(console, "error").mockReturnValue();
    writeDataPoint.mockImplementation(() => {
      throw new Error("no dataset");
    });
    // As after an eviction: what it finds is no growth, what comes is.
    const second = new MetricsHub(state, bound);
    expect(await second.deliver(hits("a", "now", 4))).toEqual({ result: "kept", through: 4 });
    expect(faults.mock.calls.join()).toContain("no dataset");
    expect(points).toHaveLength(1);
    faults.mockRestore();
  });
  await evictDurableObject(stub());
  expect(await total(stub())).toBe(4);
});

test("a shard that was only read leaves no storage, and there is no alarm to forget", async () => {
  const stub = hub();
  await stub().read();
  await runInDurableObject(stub(), async (_, state) => {
    expect([...state.storage.kv.list()]).toEqual([]);
    expect(await state.storage.getAlarm()).toBeNull();
  });
});
