import { expect, test } from "vitest";
import type { PoolStatus } from "../../routing/pool/pool-status.ts";
import { fleetExposition } from "./fleet-gauges.ts";

const status: PoolStatus = {
  cluster: "eu",
  atMs: 0,
  sources: 1,
  pace: { refreshEveryMs: 1000, reportEveryMs: 1000, noticeEveryMs: 1000, askShare: 1 },
  replicas: [],
  queue: { waiting: 3, maxWaiting: 100, waitingTokens: 0, expectedWaitMs: 0 },
  leases: 2,
  scaling: [],
  costPerHour: 1.5,
};

test("only the gauge that a pool of older code lacks is left out", () => {
  const { costPerHour, ...older } = status;
  const text = fleetExposition(
    new Map([
      ["eu", status],
      ["us", { ...older, cluster: "us" } as PoolStatus],
    ]),
  );
  expect(text).toContain(`edgewise_fleet_cost_dollars_per_hour{cluster="eu"} ${costPerHour}`);
  expect(text).not.toContain('edgewise_fleet_cost_dollars_per_hour{cluster="us"}');
  expect(text).toContain('edgewise_fleet_leases{cluster="us"} 2');
  expect(text).not.toContain("undefined");
});

test("an unreachable cluster has no gauges that an autoscaler would take for idleness", () => {
  const scaling = [{ model: "m", queuedTokens: 0, saturation: 0, wantedReplicas: 1 }];
  const lost = fleetExposition(new Map([["eu", { ...status, scaling, outOfReach: true as const }]]));
  expect(lost).not.toContain("edgewise_fleet_wanted_replicas{");
  expect(lost).not.toContain("edgewise_fleet_saturation{");
  expect(lost).toContain('edgewise_fleet_replicas{cluster="eu"} 0');
  const known = fleetExposition(new Map([["eu", { ...status, scaling }]]));
  expect(known).toContain('edgewise_fleet_wanted_replicas{cluster="eu",model="m"} 1');
});

test("replicas taken out by an admin are distinguished from failing ones", () => {
  const replica = (wishedState: "active" | "draining" | "disabled", wishedWeight = 1) =>
    ({ wishedState, wishedWeight, places: 0, isAlive: false }) as PoolStatus["replicas"][number];
  const told = (replicas: PoolStatus["replicas"]) => {
    const text = fleetExposition(new Map([["eu", { ...status, replicas }]]));
    expect(text).toContain('edgewise_fleet_replicas{cluster="eu"} 0');
    return /edgewise_fleet_enabled_replicas\{cluster="eu"\} (\d+)/.exec(text)?.[1];
  };
  expect(told([replica("active"), replica("active"), replica("draining")])).toBe("2");
  expect(told([replica("draining"), replica("disabled"), replica("active", 0)])).toBe("0");
});

test("without pools there are no gauges", () => {
  expect(fleetExposition(new Map())).toBe("");
});
