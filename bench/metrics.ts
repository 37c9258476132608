/**
 * `node bench/metrics.ts`: what do metrics cost? CPU of one record in the isolate, its share of the deliveries included, and of
 * one batch and one write in a shard. Records like those of a busy fleet: 4 models, 6 routes, every stage.
 */
import { serialize } from "node:v8";
import type { Background } from "../src/shared/contracts/background.ts";
import type { MetricDelivery } from "../src/shared/telemetry/metrics/hub-protocol.ts";
import { HubState } from "../src/shared/telemetry/metrics/hub-state.ts";
import { MetricRecorder } from "../src/shared/telemetry/metrics/metric-recorder.ts";
import type { RequestRecord } from "../src/shared/telemetry/request-record.ts";

const budgetMicroseconds = 20;
const records = 400_000;
const deliveries: MetricDelivery[] = [];

const recorder = new MetricRecorder({
  source: "bench",
  // What a call of the hub costs here: its message is copied once.
  deliver: async (delivery) => {
    serialize(delivery);
    if (deliveries.length < 200) deliveries.push(delivery);
    return { result: "kept", through: Number.MAX_SAFE_INTEGER };
  },
  now: () => Date.now(),
  sleep: () => new Promise(() => undefined),
});
const background: Background = { run: () => undefined };

function record(at: number): RequestRecord {
  return {
    endpoint: `/v1/route-${at % 6}`,
    method: "POST",
    requestId: "req_0",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    status: at % 10 === 0 ? 429 : 200,
    ending: at % 10 === 0 ? "refused" : "answered",
    startedMs: 0,
    durationMs: (at * 37) % 9_000,
    firstTokenMs: (at * 13) % 900,
    model: `model-${at % 4}`,
    promptTokens: 30,
    completionTokens: 100,
    cachedTokens: 0,
    reasoningTokens: 0,
    cache: "miss",
    ...(at % 10 === 0 ? { errorKind: "limited" } : {}),
    stages: {
      identify: 0,
      validate: 1,
      admit: at % 40,
      recall: 3,
      screen: 1,
      lookup: 2,
      compose: 1,
      dispatch: at % 300,
      stream: at % 8_000,
    },
  };
}

const made = Array.from({ length: 1_024 }, (_, at) => record(at));

/** `perDelivery`: requests of an isolate in the second that one delivery covers. */
async function measure(perDelivery: number): Promise<number> {
  const start = process.cpuUsage();
  for (let at = 0; at < records; at += 1) {
    const one = made[at & 1_023];
    if (one !== undefined) recorder.record(one, background);
    if ((at + 1) % perDelivery === 0) await recorder.flush();
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / records;
}

await measure(1_000);
for (const perDelivery of [1_000, 100, 10]) {
  const microseconds = await measure(perDelivery);
  console.log(`a record, ${perDelivery} to a delivery: ${microseconds.toFixed(2)} µs CPU`);
  if (perDelivery >= 100 && microseconds > budgetMicroseconds) process.exitCode = 1;
}

const hub = new HubState(null);
let start = process.cpuUsage();
for (const [at, delivery] of deliveries.entries())
  for (let source = 0; source < 20; source += 1)
    hub.apply({ ...delivery, source: `isolate-${at}-${source}` }, Date.now());
let used = process.cpuUsage(start);
console.log(`a shard: ${((used.user + used.system) / deliveries.length / 20).toFixed(1)} µs CPU a delivery`);
start = process.cpuUsage();
let bytes = 0;
for (let at = 0; at < 100; at += 1) bytes = hub.snapshot(Date.now()).length;
used = process.cpuUsage(start);
console.log(
  `a shard: ${((used.user + used.system) / 100_000).toFixed(2)} ms CPU a write of ${Math.round(bytes / 1000)} KB (4,000 isolates), at most one a second`,
);
