/** A clock is set back by an hour (a laptop's was wrong, a machine's is corrected): what was noted by it lies ahead, and nobody waits for that. */
import { expect, test } from "vitest";
import { fakeFleet, FakeReplicas } from "../../../test/workers/fake-replicas.ts";
import { Breaker } from "./breaker.ts";
import { hasPassed, leftUntil } from "./elapsed.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { InFlight } from "./in-flight.ts";
import { poolOf, well } from "./pool/pool-fixture.ts";
import { PoolLink, type SnapshotShelf } from "./pool/pool-link.ts";
import { decodeSnapshot, encodeSnapshot } from "./pool/snapshot.ts";
import { Poller } from "./poller.ts";
import { RouterState } from "./router-state.ts";
import { ZoneHealth } from "./choice/zone-health.ts";

const before = 100_000_000;
const after = before - 3_600_000;

test("a time that lies ahead of a clock that was set back counts as passed", () => {
  expect([hasPassed(10, 19, 10), hasPassed(10, 20, 10), hasPassed(10, 9, 10)]).toEqual([false, true, true]);
  expect([leftUntil(20, 5, 15), leftUntil(20, 20, 15), leftUntil(20, 4, 15)]).toEqual([15, 0, 0]);
});

test("a replica that was open, busy, on trial or asked as a last resort is asked again within its own times", () => {
  const breaker = new Breaker();
  breaker.failure("refused", before);
  breaker.failure("refused", before);
  breaker.begin(before);
  expect(breaker.admits(before) || breaker.admitsLastResort(before)).toBe(false);
  expect([breaker.state(after), breaker.admits(after), breaker.admitsLastResort(after)]).toEqual([
    "half-open",
    true,
    true,
  ]);
  expect([breaker.waitMs(after), breaker.askableInMs(after)]).toEqual([0, 0]);
  const busy = new Breaker();
  busy.busy(5000, before);
  expect([busy.admits(before), busy.admits(after), busy.waitMs(after)]).toEqual([false, true, 0]);
  busy.busy(500, after);
  expect([busy.admits(after), busy.waitMs(after), busy.admits(after + 500)]).toEqual([false, 500, true]);
});

test("a zone that was open lets one in again", () => {
  const fleet = fakeFleet(2);
  for (const { replicas } of fleet.clusters) for (const replica of replicas) replica.zone = "z";
  const [cluster] = new RouterState().clusters(buildFleetIndex(fleet)).values();
  const [replica] = cluster?.replicas ?? [];
  if (cluster === undefined || replica === undefined) throw new Error("the fleet has replicas");
  const zones = new ZoneHealth();
  for (const each of cluster.replicas) zones.failed(each, before);
  expect(zones.admits(replica, before)).toBe(false);
  expect([zones.state("c0", "z", after), zones.admits(replica, after)]).toEqual(["half-open", true]);
});

test("replicas are polled again at once", async () => {
  const [cluster] = new RouterState().clusters(buildFleetIndex(fakeFleet(1))).values();
  if (cluster === undefined) throw new Error("the fleet has a cluster");
  const poller = new Poller();
  const { transport } = new FakeReplicas();
  await poller.sweep([cluster], transport, () => before);
  expect(poller.sweep([cluster], transport, () => before)).toBeNull();
  expect(poller.sweep([cluster], transport, () => after)).not.toBeNull();
});

test("a pool takes no count from before for a fresh one: its leases speak until it has polled anew", () => {
  const pool = poolOf(1, 4);
  pool.members.get("r0")?.found({ ...well, running: 3 }, before);
  expect(pool.snapshot(before).replicas[0]?.running).toBe(3);
  expect(pool.snapshot(after).replicas[0]).toMatchObject({ running: 0, polledAtMs: null });
});

test("an isolate hears its pool again within seconds, and routes by nothing from before", async () => {
  let nowMs = before;
  const [cluster] = new RouterState().clusters(buildFleetIndex(pooled())).values();
  if (cluster === undefined) throw new Error("the fleet has a cluster");
  const pool = poolOf(1, 4);
  let shelved: string | null = null;
  const shelf: SnapshotShelf = {
    get: () => Promise.resolve(shelved),
    put: (_cluster, snapshot) => Promise.resolve(void (shelved = snapshot)),
    claim: () => Promise.resolve(true),
  };
  const sleeping: { readonly atMs: number; readonly wake: () => void }[] = [];
  const running: Promise<unknown>[] = [];
  const link = new PoolLink({
    cluster: "c0",
    source: "isolate",
    port: {
      exchange: (report) => {
        pool.report(report, nowMs);
        return Promise.resolve({
          result: "taken",
          snapshot: encodeSnapshot(pool.snapshot(nowMs)),
          atMs: nowMs,
        });
      },
      ask: () => Promise.resolve({ result: "none-offered" }),
      withdraw: () => Promise.resolve(),
    },
    shelf,
    state: { inFlight: new InFlight(), heard: () => undefined },
    now: () => nowMs,
    random: () => 0,
    sleep: (ms) => new Promise((wake) => sleeping.push({ atMs: nowMs + ms, wake })),
  });
  /** Traffic for ten seconds: what is due is woken. */
  const traffic = async (): Promise<void> => {
    for (let tenth = 0; tenth < 100; tenth += 1) {
      link.changed(cluster, { run: (_name, work) => void running.push(work) });
      nowMs += 100;
      for (const due of sleeping.filter(({ atMs }) => atMs <= nowMs)) {
        sleeping.splice(sleeping.indexOf(due), 1);
        due.wake();
      }
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  await traffic();
  expect(link.fresh(nowMs)?.atMs).toBeGreaterThan(before);
  nowMs = after;
  expect(link.fresh(nowMs)).toBeNull();
  await traffic();
  expect(link.fresh(nowMs)?.atMs).toBeLessThan(before);
  expect(link.fresh(nowMs)?.atMs).toBeGreaterThan(after);
  expect(decodeSnapshot(shelved ?? "")?.atMs).toBeLessThan(before);
});

function pooled() {
  const fleet = fakeFleet(1);
  for (const cluster of fleet.clusters) cluster.pool = true;
  return fleet;
}
