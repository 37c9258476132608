/**
 * Edgewise as it ships, on the plain `workerd` binary: for load tests, the bench and end-to-end tests that must see real
 * sockets. No wrangler in front, whose proxy costs seventeen times the Worker.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { ensureLocalSecrets, readLocalVariables } from "../local-secrets.ts";
import { bundleWorker, serviceScript, type WorkerBundle } from "./bundle.ts";
import { guardOrphan } from "./orphan-guard.ts";
import { workerdConfig } from "./workerd-config.ts";

export type RouterMount = "in-process" | "service";

/** The Workers, bundled once; any number of processes can run them. */
export interface ServeBundles {
  readonly edge: WorkerBundle;
  readonly router: WorkerBundle;
  /** Takes PDF and Office files apart. Absent: they are not searched. */
  readonly documents?: WorkerBundle;
  /** Deletes the files. */
  readonly remove: () => Promise<void>;
}

export interface ServeOptions {
  readonly bundles: ServeBundles;
  readonly port: number;
  readonly router: RouterMount;
  readonly fleet: Fleet;
  /** Folder that keeps the objects' storage; absent: one that goes with the process. */
  readonly stateFolder?: string;
  /** Further variables, which win. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What the KV namespaces hold from the start, by their id; nothing they hold outlives the process. */
  readonly kvSeeds?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Gets what workerd prints, log lines included. Absent: log lines go nowhere, at no cost. */
  readonly onLine?: (line: string) => void;
}

export interface RunningServe {
  readonly url: string;
  /** Of the one workerd process. */
  readonly pid: number;
  /** Resolves when the process is gone, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export async function bundleForServe(): Promise<ServeBundles> {
  const folder = await mkdtemp(join(tmpdir(), "edgewise-bundle-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const edge = await bundleWorker("wrangler.toml", join(folder, "edge"));
    const router = await bundleWorker("workers/origin-router/wrangler.toml", join(folder, "router"));
    const documents = await bundleWorker("workers/document-reader/wrangler.toml", join(folder, "documents"));
    return { edge, router, documents, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const readyWithinMs = 30_000;
const host = "127.0.0.1";

/** Resolves when `/health` answers; rejects with workerd's own words where it ends first. */
export async function startServe(options: ServeOptions): Promise<RunningServe> {
  const work = await mkdtemp(join(tmpdir(), "edgewise-serve-"));
  const objectsFolder = options.stateFolder ?? join(work, "objects");
  await mkdir(objectsFolder, { recursive: true });
  const file = join(work, "config.capnp");
  const { documents } = options.bundles;
  const text = workerdConfig({
    edge: options.bundles.edge,
    router: options.router === "service" ? options.bundles.router : null,
    ...(documents === undefined ? {} : { documents }),
    texts: {
      ...localVariables(),
      ROUTER: options.router,
      FLEET: JSON.stringify(options.fleet),
      ...options.variables,
    },
    folder: work,
    host,
    port: options.port,
    objectsFolder,
    // EDGEWISE_V8_FLAGS="--perf-basic-prof" lets `perf` name the functions of the Worker.
    v8Flags: (process.env["EDGEWISE_V8_FLAGS"] ?? "").split(" ").filter((flag) => flag !== ""),
    kvSeeds: options.kvSeeds ?? {},
    scripts: { kv: await serviceScript("kv-service.ts"), cache: await serviceScript("cache-service.ts") },
  });
  // It holds the local secrets.
  await writeFile(file, text, { mode: 0o600 });
  const { default: binary } = createRequire(import.meta.url)("workerd") as { default: string };
  const child = spawn(binary, ["serve", file], {
    stdio: ["ignore", options.onLine === undefined ? "ignore" : "pipe", "pipe"],
  });
  let last = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data: Buffer) => {
      last = (last + data.toString()).slice(-4000);
    });
  // Whole lines: one of them may come in several pieces.
  for (const stream of options.onLine === undefined ? [] : [child.stdout, child.stderr])
    if (stream !== null)
      createInterface({ input: stream }).on("line", (line) => {
        if (line !== "") options.onLine?.(line);
      });
  const guard = child.pid === undefined ? undefined : guardOrphan(child.pid);
  const ended = once(child, "exit").then(() => {
    guard?.release();
    return rm(work, { recursive: true, force: true });
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 3000);
    await ended;
    clearTimeout(late);
  };
  const url = `http://${host}:${options.port}`;
  const until = Date.now() + readyWithinMs;
  while (!(await answers(`${url}/health`))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`workerd did not start:\n${last}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  // It has been read. If this process is killed later, it would stay.
  await rm(file, { force: true });
  if (child.pid === undefined) throw new Error("a running process has an id");
  return { url, pid: child.pid, ended, stop };
}

/** All of `.dev.vars`, as wrangler gives it to a Worker: tenants' secrets and the fleet's stand there, too. */
function localVariables(): Readonly<Record<string, string>> {
  return { ...Object.fromEntries(readLocalVariables()), ...ensureLocalSecrets() };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Not listening yet: asked again.
    return false;
  }
}
