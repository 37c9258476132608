/** A pool that lost its memory: what an isolate believes of its replicas until it has told the new one what it has open there. */
import { expect, test } from "vitest";
import { fakeFleet } from "../../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";
import { replicaLoad } from "../choice/replica-load.ts";
import { RouterState } from "../router-state.ts";
import { leaseReport, poolOf } from "./pool-fixture.ts";
import { PoolLink } from "./pool-link.ts";
import { encodeSnapshot } from "./snapshot.ts";

function world() {
  const fleet = fakeFleet(1);
  for (const cluster of fleet.clusters) cluster.pool = true;
  const state = new RouterState();
  const index = buildFleetIndex(fleet);
  const clock = { nowMs: 1000 };
  const running: Promise<unknown>[] = [];
  let pool = poolOf(1, 64, "before");
  // So many isolates report once a minute each.
  for (let at = 0; at < 2000; at += 1) pool.report(leaseReport(1, { source: `isolate ${at}` }), clock.nowMs);
  const link = new PoolLink({
    cluster: "c0",
    source: "here",
    port: {
      exchange: async (report) => {
        pool.report(structuredClone(report), clock.nowMs);
        return { result: "taken", snapshot: encodeSnapshot(pool.snapshot(clock.nowMs)), atMs: clock.nowMs };
      },
      ask: () => Promise.reject(new Error("nobody asks")),
      withdraw: () => Promise.resolve(),
    },
    shelf: {
      get: async () => encodeSnapshot(pool.snapshot(clock.nowMs)),
      put: () => Promise.resolve(),
      claim: () => Promise.resolve(true),
    },
    state,
    now: () => clock.nowMs,
    random: () => 0.5,
    sleep: () => Promise.resolve(),
  });
  const cluster = () => {
    const found = state.clusters(index).get("c0");
    if (found === undefined) throw new Error("the cluster is in the fleet");
    return found;
  };
  const replica = () => {
    const [first] = cluster().replicas;
    if (first === undefined) throw new Error("the replica is in the fleet");
    return first;
  };
  /** Lets so much time pass, and the isolate hear or tell what is due then. */
  const meetAfter = async (ms: number): Promise<void> => {
    clock.nowMs += ms;
    link.changed(cluster(), { run: (_name, work) => void running.push(work) });
    while (running.length > 0) await running.shift();
  };
  return {
    meetAfter,
    take: (requests: number) => {
      for (let at = 0; at < requests; at += 1)
        state.inFlight.take(replica().known.occupancy, 100, clock.nowMs).began(clock.nowMs);
    },
    others: (requests: number) =>
      pool.report(
        leaseReport(1, {
          source: "others",
          issued: requests,
          open: Array.from({ length: requests }, (_, at) => [at + 1, "r0", 100, 0]),
        }),
        clock.nowMs,
      ),
    restart: () => {
      pool = poolOf(1, 64, "after");
    },
    load: () => replicaLoad(replica(), clock.nowMs).requests,
    told: () => pool.tally("r0").leases,
  };
}

test("a pool that lost its memory is not taken to know what the one before was told: others' requests are not hidden behind one's own", async () => {
  const { meetAfter, take, others, restart, load, told } = world();
  take(40);
  // Its own first report, half a minute later.
  await meetAfter(10);
  await meetAfter(31_000);
  expect([told(), load()]).toEqual([40, 40]);
  restart();
  others(40);
  // The location's snapshot is of the new pool, which has heard the others alone.
  await meetAfter(2000);
  expect([told(), load()]).toEqual([40, 80]);
  // Told anew within another half minute, and counted once.
  await meetAfter(16_000);
  expect([told(), load()]).toEqual([80, 80]);
});
