/**
 * How many calls does one OriginPool object see? `node bench/pool-calls.ts [isolates] [requests a second] [locations] [seconds]`: the
 * real links and the real pool on a simulated clock, all isolates beginning at once. Prints the calls of each second.
 */
import { SimulatedFleet } from "../src/shared/routing/pool/simulated-fleet-fixture.ts";

const [isolates = 2000, perSecond = 10_000, locations = 330, seconds = 60] = process.argv
  .slice(2)
  .map(Number);
const fleet = new SimulatedFleet({
  replicas: 32,
  slots: 2048,
  locations,
  isolates,
  lost: 0.01,
  repeated: 0.01,
  hasMetrics: true,
});
const { clock, random } = fleet;
const startMs = clock.nowMs;

function burst(): void {
  for (let at = 0; at < perSecond / 100; at += 1) {
    const isolate = fleet.isolates[Math.floor(random() * fleet.isolates.length)];
    const replica = isolate?.cluster().replicas[Math.floor(random() * 32)];
    if (isolate !== undefined && replica !== undefined)
      fleet.request(isolate, replica, 300, 500 + random() * 1500);
  }
  clock.at(clock.nowMs + 10, burst);
}

clock.at(startMs, burst);
await clock.runUntil(startMs + seconds * 1000 - 1);
const calls = [...fleet.calls].sort(([left], [right]) => left - right).map(([, count]) => count);
const ages = fleet.isolates
  .map(({ link }) => clock.nowMs - (link.fresh(clock.nowMs)?.atMs ?? Number.NEGATIVE_INFINITY))
  .sort((left, right) => left - right);
console.log(`${isolates} isolates in ${locations} locations, ${perSecond} requests a second`);
console.log(`calls in each second: ${calls.join(" ")}`);
console.log(
  `most ${Math.max(...calls)}; last ten seconds ${calls.slice(-10).reduce((a, b) => a + b, 0) / 10} a second`,
);
console.log(
  `age of an isolate's snapshot, ms: p50 ${ages[Math.floor(ages.length / 2)]}, p99 ${ages[Math.floor(ages.length * 0.99)]}`,
);
console.log(fleet.pool.snapshot(clock.nowMs).pace);
