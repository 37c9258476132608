import { expect, test } from "vitest";
import { fakeFleet } from "../../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";
import { RouterState, type ReplicaState } from "../router-state.ts";
import { ZoneHealth } from "./zone-health.ts";

/** Eight replicas: four in zone a, four in zone b. */
function zoned(): readonly ReplicaState[] {
  const fleet = fakeFleet(8);
  for (const cluster of fleet.clusters)
    for (const [at, replica] of cluster.replicas.entries()) replica.zone = at < 4 ? "a" : "b";
  return new RouterState().clusters(buildFleetIndex(fleet)).get("c0")?.replicas ?? [];
}

function open(zones: ZoneHealth, replicas: readonly ReplicaState[], nowMs: number): void {
  for (const replica of replicas.slice(0, 2)) zones.failed(replica, nowMs);
}

test("half of a zone's replicas failing within moments opens the zone for all of them, and for no other", () => {
  const replicas = zoned();
  const zones = new ZoneHealth();
  open(zones, replicas, 1000);
  expect(replicas.map((replica) => zones.admits(replica, 1001))).toEqual([
    ...Array.from({ length: 4 }, () => false),
    ...Array.from({ length: 4 }, () => true),
  ]);
  expect(zones.state("c0", "a", 1001)).toBe("open");
});

test("one replica that fails again and again is its own trouble, and so are failures far apart", () => {
  const replicas = zoned();
  const [first, second] = replicas;
  if (first === undefined || second === undefined) throw new Error("no replicas");
  const zones = new ZoneHealth();
  for (let at = 0; at < 10; at += 1) zones.failed(first, at * 100);
  zones.failed(second, 20_000);
  expect(zones.admits(first, 20_000)).toBe(true);
});

test("one replica that never comes back does not make every later event of its zone last longer", () => {
  const replicas = zoned();
  const [gone, second] = replicas;
  if (gone === undefined || second === undefined) throw new Error("no replicas");
  const zones = new ZoneHealth();
  const day = 86_400_000;
  for (let at = 0; at < 5; at += 1) {
    open(zones, replicas, at * day);
    expect(zones.state("c0", "a", at * day + 2999)).toBe("open");
    expect(zones.state("c0", "a", at * day + 3000)).toBe("half-open");
    zones.succeeded(second);
    expect(zones.state("c0", "a", at * day + 3001)).toBe("closed");
  }
  // Events that follow one another are one trouble.
  open(zones, replicas, 4 * day + 10_000);
  expect(zones.state("c0", "a", 4 * day + 15_999)).toBe("open");
});

test("a success between the failures keeps the zone closed", () => {
  const [first, second] = zoned();
  if (first === undefined || second === undefined) throw new Error("no replicas");
  const zones = new ZoneHealth();
  zones.failed(first, 0);
  zones.succeeded(first);
  zones.failed(second, 10);
  expect(zones.state("c0", "a", 11)).toBe("closed");
});

test("after its time one request tries, another only when that one was long ago; success lets all in", () => {
  const replicas = zoned();
  const [first] = replicas;
  if (first === undefined) throw new Error("no replicas");
  const zones = new ZoneHealth();
  open(zones, replicas, 0);
  expect(zones.admits(first, 2999)).toBe(false);
  expect(zones.admits(first, 3000)).toBe(true);
  zones.begins(first, 3000);
  expect(zones.admits(first, 3001)).toBe(false);
  expect(zones.admits(first, 4000)).toBe(true);
  zones.succeeded(first);
  expect(replicas.every((replica) => zones.admits(replica, 4001))).toBe(true);
});

test("a trial that fails opens it again for twice as long, up to a quarter of a minute", () => {
  const replicas = zoned();
  const [first] = replicas;
  if (first === undefined) throw new Error("no replicas");
  const zones = new ZoneHealth();
  let nowMs = 0;
  open(zones, replicas, nowMs);
  const waits: number[] = [];
  for (let trip = 0; trip < 4; trip += 1) {
    const openedMs = nowMs;
    while (!zones.admits(first, nowMs)) nowMs += 100;
    waits.push(nowMs - openedMs);
    zones.begins(first, nowMs);
    zones.failed(first, nowMs);
  }
  expect(waits).toEqual([3000, 6000, 12_000, 15_000]);
});

test("replicas whose zone nobody named are each on their own", () => {
  const replicas = new RouterState().clusters(buildFleetIndex(fakeFleet(4))).get("c0")?.replicas ?? [];
  const zones = new ZoneHealth();
  for (const replica of replicas) zones.failed(replica, 0);
  expect(replicas.every((replica) => zones.admits(replica, 1))).toBe(true);
});
