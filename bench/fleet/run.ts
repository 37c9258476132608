/**
 * `npm run bench:fleet`: the choice of a replica on the published traces, against the usual policies; then drift and spread
 * over 100,000 requests, and what a choice costs. `--quick`: two loads, and a tenth of the drift. `--cache-blocks N`:
 * another key-value cache. Ends with 1 where a bar is missed. Without the traces (README of the data beside the checkout) that part is left out, and said.
 */
import { parseArgs } from "node:util";
import { readCommandLine, wholeNumber } from "../../dev/commands/command-line.ts";
import { compare, missed, percent, type Comparison, type Figures } from "./bars.ts";
import { chats } from "./chat-workload.ts";
import { runDrift } from "./drift.ts";
import { measureAffinity, measureChoice } from "./routing-cost.ts";
import { mooncake, tracesFolder, type Workload } from "./traces.ts";
import { capacity, usualWorld, type WorldSettings } from "./world.ts";

/**
 * From so many on a policy is judged. Of one seed of *mooncake* the p99 is the fifteenth longest wait of 1,500: between two policies alike it
 * is 15 % off one way or the other, and the hit rate 5 %.
 */
const leastSeeds = 4;
const usage = "usage: npm run bench:fleet [-- --quick] [--seeds N] [--cache-blocks N]";
const { quick, seedCount, cacheBlocks } = readCommandLine(usage, () => {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seeds: { type: "string" },
      "cache-blocks": { type: "string", default: String(usualWorld.speed.cacheBlocks) },
    },
  });
  return {
    quick: values.quick,
    seedCount: wholeNumber("seeds", values.seeds ?? String(leastSeeds), 1, 1000),
    cacheBlocks: wholeNumber("cache-blocks", values["cache-blocks"], 1, 1_000_000_000),
  };
});
const seeds = Array.from({ length: seedCount }, (_, at) => at + 1);
const loads = quick ? [0.5, 1.1] : [0.5, 0.7, 0.9, 1.1];
const settings: WorldSettings = { ...usualWorld, speed: { ...usualWorld.speed, cacheBlocks } };
const faults: string[] = [];

const folder = tracesFolder();
if (folder === null)
  console.log(
    "The traces are not there (../shared/data/traces, or EDGEWISE_DATA): nothing is simulated on them.",
  );
else for (const workload of [mooncake(folder), chats(folder)]) simulateOn(workload);

const drift = runDrift(quick ? 10_000 : 100_000);
console.log(
  `\ndrift: ${drift.requests} requests, ${drift.aborted} aborted, ${drift.lost} settlements lost, ${drift.duplicates} doubled:`,
  `${drift.leases} leases and ${drift.tokens} tokens left over, spread (max/mean) ${drift.spread.toFixed(3)}`,
);
if (drift.leases !== 0 || drift.tokens !== 0) faults.push("leases drifted");
if (drift.spread > 1.25) faults.push(`load spread is ${drift.spread.toFixed(2)}`);

console.log("\nCPU of a choice (µs, median of the rounds)");
for (const replicas of [2, 16, 128]) {
  const us = measureChoice(replicas);
  console.log(`  ${String(replicas).padStart(4)} replicas  ${us.toFixed(1)}`);
  if (us > 100) faults.push(`a choice among ${replicas} costs ${us.toFixed(0)} µs`);
}
console.log("CPU of the affinity keys (µs), at most 3,328 characters and 128 a message are hashed");
for (const characters of [500, 4000, 40_000, 400_000])
  console.log(`  ${String(characters).padStart(7)} characters  ${measureAffinity(characters).toFixed(1)}`);

if (seeds.length < leastSeeds)
  console.log(`\nthe choice is not judged: that takes ${leastSeeds} seeds, and these are ${seeds.length}`);
console.log(faults.length === 0 ? "\nall bars hold" : `\nMISSED\n  ${faults.join("\n  ")}`);
process.exitCode = faults.length === 0 ? 0 : 1;

function simulateOn(workload: Workload): void {
  const { clusters, replicasPerCluster, isolates, speed } = settings;
  const perSecond = capacity(workload, clusters * replicasPerCluster, speed);
  console.log(
    `\n${workload.name}: ${workload.requests.length} requests, ${clusters} clusters × ${replicasPerCluster} replicas, ${isolates} isolates, ${seeds.length} seeds;`,
    `100 % load is ${perSecond.toFixed(1)} requests a second`,
  );
  for (const load of loads) {
    const comparison = compare(workload, load, seeds, settings);
    print(comparison);
    if (seeds.length < leastSeeds) continue;
    for (const fault of missed(comparison)) faults.push(`${workload.name}: ${fault}`);
  }
}

function print({ load, ours, others, references }: Comparison): void {
  console.log(`  ${percent(load)} load            hit rate    p50 ms    p99 ms  max/mean`);
  for (const figures of [ours, ...others, ...references]) console.log(line(figures));
}

function line({ policy, hitRate, p50Ms, p99Ms, spread }: Figures): string {
  const cells = [percent(hitRate, 1).padStart(9), p50Ms.toFixed(0).padStart(9), p99Ms.toFixed(0).padStart(9)];
  return `    ${policy.padEnd(18)}${cells.join(" ")} ${spread.toFixed(2).padStart(9)}`;
}
