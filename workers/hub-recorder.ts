/** How a Worker's isolate counts: it adds up by itself, and feeds one shard of the hub, chosen by lot, for as long as it lives. */
import type { MetricsHub } from "../durable-objects/metrics-hub/metrics-hub.ts";
import { randomHex } from "../src/shared/telemetry/correlation.ts";
import { shardCount, shardName } from "../src/shared/telemetry/metrics/hub-protocol.ts";
import { MetricRecorder } from "../src/shared/telemetry/metrics/metric-recorder.ts";

/** Not before the isolate's first event: the platform gives no randomness at start-up. */
export function hubRecorder(hub: DurableObjectNamespace<MetricsHub>, now: () => number): MetricRecorder {
  const shard = shardName(Math.floor(Math.random() * shardCount));
  return new MetricRecorder({
    source: randomHex(12),
    deliver: (delivery) => hub.getByName(shard).deliver(delivery),
    now,
    sleep: (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
      }),
  });
}
