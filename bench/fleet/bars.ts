/** How do the policies compare, and does ours keep its bars? Runs each over several seeds and puts their figures side by side. */
import { ours } from "./ours.ts";
import {
  allKnowing,
  atRandom,
  conversationHash,
  leastLoaded,
  nearPrefixHash,
  prefixHash,
  roundRobin,
} from "./plain-policies.ts";
import { simulate, type Policy, type WorldSettings, type WorldView } from "./world.ts";
import type { Workload } from "./traces.ts";

export interface Figures {
  readonly policy: string;
  /** Mean of the seeds. */
  readonly hitRate: number;
  /** Of all seeds' requests together, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The worst of the seeds. */
  readonly spread: number;
}

export interface Comparison {
  readonly load: number;
  readonly ours: Figures;
  readonly others: readonly Figures[];
  /** Not competitors: one stays in the client's region, the other knows what no router can know. */
  readonly references: readonly Figures[];
}

/** Within so much of the best hit rate, as a ratio. */
const hitRateBar = 0.95;

const others: readonly ((view: WorldView) => Policy)[] = [
  roundRobin,
  atRandom,
  leastLoaded,
  prefixHash,
  conversationHash,
];

export function compare(
  workload: Workload,
  load: number,
  seeds: readonly number[],
  settings: WorldSettings,
): Comparison {
  const figures = (make: (view: WorldView) => Policy): Figures => {
    let policy = "";
    const named = (view: WorldView): Policy => {
      const made = make(view);
      policy = made.name;
      return made;
    };
    const outcomes = seeds.map((seed) => simulate(workload, load, named, seed, settings));
    const times = outcomes.flatMap(({ firstTokenMs }) => firstTokenMs).sort((left, right) => left - right);
    return {
      policy,
      hitRate: outcomes.reduce((sum, { hitRate }) => sum + hitRate, 0) / outcomes.length,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      spread: Math.max(...outcomes.map(({ spread }) => spread)),
    };
  };
  return {
    load,
    ours: figures(ours),
    others: others.map(figures),
    references: [nearPrefixHash, allKnowing].map(figures),
  };
}

/** The bars that are missed; empty: all hold. */
export function missed({ load, ours, others }: Comparison): readonly string[] {
  const faults: string[] = [];
  for (const { policy, p99Ms } of others)
    if (ours.p99Ms > p99Ms)
      faults.push(
        `at ${percent(load)} load p99 is ${ours.p99Ms.toFixed(0)} ms, ${policy}'s ${p99Ms.toFixed(0)} ms`,
      );
  const best = Math.max(...others.map(({ hitRate }) => hitRate));
  if (ours.hitRate < hitRateBar * best)
    faults.push(
      `at ${percent(load)} load the hit rate is ${percent(ours.hitRate, 1)}, the best ${percent(best, 1)}`,
    );
  return faults;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** Of sorted values. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
