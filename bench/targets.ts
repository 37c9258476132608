/** What the bench measures, each on a port of its own and all up at once, so that rounds can alternate between them. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import demo from "../config/tenants/demo.json" with { type: "json" };
import { makeToken } from "../dev/commands/local-token.ts";
import { bundleForServe, startServe, type RouterMount } from "../dev/serve/start-serve.ts";
import { fleetSchema } from "../src/shared/routing/fleet/fleet-config.ts";
import { checkTenantConfig, tenantEntries, withVersion } from "../src/shared/tenancy/tenant-entries.ts";
import { startBareWorker } from "./bare-workers.ts";

export interface Target {
  readonly name: string;
  readonly ports: readonly number[];
  /** Processes whose CPU is the target's; none for the origin itself. */
  readonly pids: readonly number[];
}

export interface Stage {
  readonly origin: Target;
  readonly passThrough: Target;
  readonly passThroughTwice: Target;
  /** A bare Worker that looks at what passes. */
  readonly reading: Target;
  readonly inProcess: Target;
  readonly inProcessTwice: Target;
  readonly service: Target;
  /** Tells the origin how fast to be. */
  setSpeed(speed: { readonly intervalMs: number; readonly firstTokenMs: number }): Promise<void>;
  readonly load: ChildProcess;
  stop(): Promise<void>;
}

/** @param firstPort seven ports from here are used */
export async function setStage(firstPort: number): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((each) => each()));
  };
  try {
    return { ...(await raise(firstPort, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function raise(firstPort: number, stops: (() => Promise<unknown>)[]): Promise<Omit<Stage, "stop">> {
  const child = (file: string, args: readonly string[]): ChildProcess => {
    const process = fork(new URL(file, import.meta.url), args);
    stops.push(() => end(process));
    return process;
  };
  const origin = child("origin.ts", [String(firstPort)]);
  await once(origin, "message");
  const load = child("load.ts", []);
  const originUrl = `http://127.0.0.1:${firstPort}`;
  const bare = async (name: string, script: Parameters<typeof startBareWorker>[0], port: number) => {
    const process = await startBareWorker(script, port, originUrl);
    stops.push(() => end(process));
    return { name, ports: [port], pids: [process.pid ?? 0] };
  };
  const passThrough = [
    await bare("pass-through", "pass-through-worker.ts", firstPort + 1),
    await bare("pass-through", "pass-through-worker.ts", firstPort + 2),
  ];
  const bundles = await bundleForServe();
  stops.push(bundles.remove);
  const kvSeeds = { "edgewise-config": await benchTenants() };
  const fleet = benchFleet(originUrl);
  const edgewise = async (port: number, router: RouterMount): Promise<Target> => {
    const running = await startServe({ bundles, port, router, fleet, kvSeeds });
    stops.push(() => running.stop());
    return { name: `Edgewise, router ${router}`, ports: [port], pids: [running.pid] };
  };
  const inProcess = [
    await edgewise(firstPort + 3, "in-process"),
    await edgewise(firstPort + 4, "in-process"),
  ];
  return {
    origin: { name: "origin alone", ports: [firstPort], pids: [] },
    passThrough: one(passThrough),
    passThroughTwice: both("pass-through", passThrough),
    reading: await bare("a Worker that reads", "reading-worker.ts", firstPort + 6),
    inProcess: one(inProcess),
    inProcessTwice: both("Edgewise, router in-process", inProcess),
    service: await edgewise(firstPort + 5, "service"),
    setSpeed: async (speed) => {
      await fetch(`${originUrl}/_bench`, { method: "POST", body: JSON.stringify(speed) });
    },
    load,
  };
}

function one(targets: readonly Target[]): Target {
  const [first] = targets;
  if (first === undefined) throw new Error("a target was started");
  return first;
}

function both(name: string, targets: readonly Target[]): Target {
  return {
    name: `${name}, 2 processes`,
    ports: targets.flatMap(({ ports }) => ports),
    pids: targets.flatMap(({ pids }) => pids),
  };
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const gone = once(process, "exit");
  process.kill("SIGKILL");
  await gone;
}

/** Whose answers are guarded: the demo tenant again, with every kind of span masked in both directions. */
export const guardedTenant = "bench-guarded";

/** Of a user of the demo tenant, whose limits no bench reaches. @param ttl as `npm run token -- --ttl` takes it */
export function benchToken(ttl: string): Promise<string> {
  return makeToken(["--tenant", "demo", "--user", "bench", "--tier", "enterprise", "--ttl", ttl]);
}

/** The demo tenant with limits that no bench reaches, but limits all the same: buckets are asked and loans are taken. */
export async function benchTenants(): Promise<Readonly<Record<string, string>>> {
  const most = 1_000_000_000;
  const limits = {
    requests_per_minute: most,
    requests_per_hour: most,
    requests_per_day: most,
    tokens_per_minute: most,
    tokens_per_month: most * 100,
    concurrent_requests: 100_000,
    cost_per_month_usd: 1_000_000,
  };
  const base = { ...demo, limits: { user: { enterprise: limits }, org: { enterprise: limits } } };
  const guarded = {
    ...base,
    id: guardedTenant,
    issuers: demo.issuers.map((issuer) => ({ ...issuer, issuer: `https://${guardedTenant}.test` })),
    safety: { input: { action: "mask" }, output: { action: "mask" } },
  };
  const entries: [string, string][] = [];
  for (const tenant of [base, guarded]) {
    const checked = checkTenantConfig(tenant);
    if (!checked.ok) throw new Error(checked.error);
    for (const { key, value } of await tenantEntries(await withVersion(checked.value)))
      entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

export function benchFleet(url: string) {
  return fleetSchema.parse({
    version: "bench",
    clusters: [
      {
        id: "bench",
        region: "local",
        // As production has it: what a pool costs is part of the figures.
        pool: true,
        replicas: [{ id: "bench-1", url, slots: 4096 }],
        models: [
          {
            id: "bench",
            served_name: "bench",
            context_window: 32_768,
            price: { input: 0.1, output: 0.2 },
            engine_features: { tokenize: false, metrics: false },
          },
        ],
      },
    ],
    aliases: { auto: { models: ["bench"] } },
  });
}
