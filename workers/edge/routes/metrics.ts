/** `GET /metrics`: everything that all isolates have counted, for Prometheus. Costs a call of each shard, at each scrape. */
import { exposition, expositionContentType } from "../../../src/shared/telemetry/metrics/exposition.ts";
import { gatherShards } from "../../../src/shared/telemetry/metrics/gather-shards.ts";
import { shardName } from "../../../src/shared/telemetry/metrics/hub-protocol.ts";
import { within } from "../../../src/shared/isolate/within.ts";
import { gatherPools } from "../../../src/shared/admin/fleet-changes.ts";
import type { Background } from "../../../src/shared/contracts/background.ts";
import type { PoolStatus } from "../../../src/shared/routing/pool/pool-status.ts";
import { fleetExposition } from "../../../src/shared/telemetry/metrics/fleet-gauges.ts";
import type { PlatformHandler } from "../handle.ts";
import type { Isolate } from "../isolate.ts";
import { baseHeaders } from "../respond.ts";

/** Below Prometheus' own scrape timeout of 10 s, both of them together. */
const flushTimeoutMs = 2_000;
const shardTimeoutMs = 3_000;

export const showMetrics: PlatformHandler = async ({ scope, isolate }) => {
  const flushed = isolate.metrics.flush();
  // Registered at once: it goes on, and tells of its failure, where it takes longer than the scrape may.
  scope.background.run("metrics flush", flushed);
  try {
    await within(flushed, flushTimeoutMs);
  } catch {
    // Reported above. What this isolate could not deliver is missing from the sums only until it can.
  }
  const [gathered, pools] = await Promise.all([
    gatherShards((shard) => isolate.env.METRICS_HUB.getByName(shardName(shard)).read(), shardTimeoutMs),
    poolStatuses(isolate, scope.background),
  ]);
  for (const { shard, detail } of gathered.missing)
    isolate.report("metrics hub", `shard ${shard}: ${detail}`);
  scope.record.status = 200;
  scope.finish();
  return new Response(exposition(gathered) + fleetExposition(pools), {
    headers: { ...baseHeaders(scope), "content-type": expositionContentType },
  });
};

async function poolStatuses(
  isolate: Isolate,
  background: Background,
): Promise<ReadonlyMap<string, PoolStatus | "unreachable">> {
  const fleet = await isolate.fleet.current(background);
  if (!fleet.ok) return new Map();
  const statuses = await gatherPools([...fleet.value.clusters.values()], isolate.pools);
  for (const [cluster, status] of statuses)
    if (status === "unreachable") isolate.report("pool", `${cluster} did not answer a scrape`);
  return statuses;
}
