import { expect, test } from "vitest";
import { fakeFleet } from "../../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";
import { RouterState } from "../router-state.ts";
import { clientRegion } from "./client-region.ts";
import { buildReport } from "./lease-report.ts";

function world() {
  const state = new RouterState();
  const replicas = state.clusters(buildFleetIndex(fakeFleet(1))).get("c0")?.replicas ?? [];
  const [replica] = replicas;
  if (replica === undefined) throw new Error("the replica is in the fleet");
  const report = (nowMs: number) =>
    buildReport({
      source: "here",
      sequence: 1,
      reason: "report",
      replicas,
      inFlight: state.inFlight,
      asking: new Set(),
      nowMs,
    });
  return { state, replica, report };
}

test("what came of requests is reported once: the next report holds only what happened since", () => {
  const { replica, report } = world();
  const place = { latitude: 50, longitude: 8 };
  replica.known.breaker.success(1000);
  replica.known.firstByteFrom = place;
  replica.known.firstByteMs = 120;
  expect(report(2000).report.outcomes).toEqual([
    {
      replica: replica.id,
      successes: 1,
      failures: {},
      firstByte: { region: clientRegion(place), ms: 120 },
    },
  ]);
  expect(report(3000).report.outcomes).toEqual([]);
});

test("what is open is in every report, with its age, until it is released", () => {
  const { state, replica, report } = world();
  const lease = state.inFlight.take(replica.known.occupancy, 500, 1000);
  for (const nowMs of [1500, 4000])
    expect(report(nowMs)).toMatchObject({
      report: { open: [[1, replica.id, 500, nowMs - 1000]], issued: 1 },
      told: [{ number: 1 }],
    });
  lease.release();
  expect(report(5000)).toMatchObject({ report: { open: [], issued: 1 }, told: [] });
});
