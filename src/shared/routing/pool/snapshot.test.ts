import * as fc from "fast-check";
import { expect, test } from "vitest";
import { clientRegion } from "./client-region.ts";
import { isOffered, othersThere } from "./pooled-view.ts";
import {
  decodeSnapshot,
  encodeSnapshot,
  maxSnapshotBytes,
  type PoolSnapshot,
  type ReplicaView,
} from "./snapshot.ts";

const atMs = 1_800_000_000_000;

const some: ReplicaView = {
  id: "us-east-1",
  state: "active",
  slots: 64,
  running: 60,
  waiting: 3,
  polledAtMs: atMs - 800,
  leases: 61,
  queuedTokens: 81_000,
  throughput: 2400,
  kvUsage: 0.731,
  breaker: "closed",
  weight: 1,
  startedAtMs: 0,
  zone: "use1-az2",
  latencyMs: new Map([["4c", 38]]),
  url: null,
};

function snapshot(replicas: readonly ReplicaView[]): PoolSnapshot {
  return {
    cluster: "us-east",
    incarnation: "0123456789abcdef",
    atMs,
    pace: { refreshEveryMs: 1000, reportEveryMs: 2000, noticeEveryMs: 100, askShare: 1 },
    queue: { waiting: 4, maxWaiting: 256, waitingTokens: 4000, expectedWaitMs: 250 },
    replicas,
  };
}

test("a snapshot of newer code is read: members, and places behind those of a row, that this code does not know are passed over", () => {
  const written = encodeSnapshot(snapshot([some]));
  const wire = JSON.parse(written) as { rows: unknown[][]; pace: unknown[]; queue: unknown[] };
  const newer = {
    ...wire,
    later: {},
    pace: [...wire.pace, "more"],
    queue: [...wire.queue, null],
    rows: wire.rows.map((row) => [...row, { unknown: 1 }]),
  };
  expect(decodeSnapshot(JSON.stringify(newer))).toEqual(decodeSnapshot(written));
  const short = { ...wire, rows: wire.rows.map((row) => row.slice(0, -1)) };
  for (const broken of [
    short,
    { ...wire, pace: wire.pace.slice(1) },
    { ...wire, queue: [] },
    { ...wire, v: 2 },
  ])
    expect(decodeSnapshot(JSON.stringify(broken))).toBeNull();
});

test("what is written is read again, whatever is unknown in it", () => {
  const count = fc.nat({ max: 100_000 });
  const share = fc.nat({ max: 1000 }).map((thousandths) => thousandths / 1000);
  const view = fc.record<ReplicaView>({
    id: fc.string({ minLength: 1, maxLength: 32 }),
    state: fc.constantFrom("active", "draining", "disabled", "lost"),
    slots: count,
    running: count,
    waiting: count,
    polledAtMs: fc.option(fc.nat({ max: 60_000 }).map((ago) => atMs - ago)),
    leases: count,
    queuedTokens: count,
    throughput: fc.option(count),
    kvUsage: fc.option(share),
    breaker: fc.constantFrom("closed", "half-open", "open"),
    weight: share,
    startedAtMs: fc.nat(),
    zone: fc.option(fc.string({ minLength: 1, maxLength: 8 })),
    latencyMs: fc.array(fc.tuple(fc.constantFrom("1a", "2b", "3c"), count)).map((pairs) => new Map(pairs)),
    url: fc.option(fc.constant("http://10.0.0.7:8000")),
  });
  fc.assert(
    fc.property(fc.array(view, { maxLength: 6 }), (replicas) => {
      expect(decodeSnapshot(encodeSnapshot(snapshot(replicas)))).toEqual(snapshot(replicas));
    }),
    { numRuns: 40 },
  );
});

test("128 replicas stay below 32 KB, with the longest ids and 48 regions learned", () => {
  const latencyMs = new Map<string, number>();
  for (let row = 0; row < 6; row += 1)
    for (let column = 0; column < 8; column += 1)
      latencyMs.set(
        clientRegion({ latitude: row * 30 - 85, longitude: column * 45 - 175 }) ?? "",
        120 + row * 40,
      );
  expect(latencyMs.size).toBe(48);
  for (const length of [24, 128]) {
    const replicas = Array.from({ length: 128 }, (_, at) => ({
      ...some,
      id: `replica-${at}-`.padEnd(length, "x"),
      zone: `zone-${at % 8}`,
      startedAtMs: atMs,
      latencyMs,
    }));
    const text = encodeSnapshot(snapshot(replicas));
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(maxSnapshotBytes);
    const read = decodeSnapshot(text);
    expect(read?.replicas).toHaveLength(128);
    if (length === 24) expect(read?.replicas[0]?.latencyMs.size).toBe(16);
  }
});

test("anything else in the cache is no snapshot", () => {
  for (const text of ["", "{}", "null", "<html>", '{"v":2}', encodeSnapshot(snapshot([some])).slice(0, -3)])
    expect(decodeSnapshot(text)).toBeNull();
});

test("own requests that the view holds already are not counted twice, and an old view fades", () => {
  const pooled = { view: some, atMs, ownRequests: 20, ownTokens: 2000 };
  expect(othersThere(pooled, atMs)).toBe(43);
  expect(othersThere(pooled, atMs + 10_000)).toBe(21.5);
  expect(othersThere(pooled, atMs + 30_000)).toBe(0);
  expect(othersThere({ ...pooled, ownRequests: 90 }, atMs)).toBe(0);
});

test("who drains, is disabled, lost or weighs nothing is not offered; an open breaker is believed for 30 s", () => {
  const offered = (change: Partial<ReplicaView>, ageMs = 0) =>
    isOffered({ view: { ...some, ...change }, atMs, ownRequests: 0, ownTokens: 0 }, atMs + ageMs);
  expect(offered({})).toBe(true);
  for (const state of ["draining", "disabled", "lost"] as const) {
    expect(offered({ state })).toBe(false);
    expect(offered({ state }, 60_000)).toBe(false);
  }
  expect(offered({ weight: 0 })).toBe(false);
  expect(offered({ breaker: "half-open" })).toBe(true);
  expect(offered({ breaker: "open" })).toBe(false);
  expect(offered({ breaker: "open" }, 30_000)).toBe(true);
});

test("a client's region is a cell of the earth, and none where its place is unknown", () => {
  expect(clientRegion({ latitude: 52.5, longitude: 13.4 })).toBe("4e");
  expect(clientRegion({ latitude: 90, longitude: 180 })).toBe("5h");
  expect(clientRegion({ latitude: -90, longitude: -180 })).toBe("0a");
  expect(clientRegion({ country: "DE" })).toBeNull();
});
