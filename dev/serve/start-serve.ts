/**
 * Edgewise as it ships, on the plain `workerd` binary: for load tests, the bench and end-to-end tests that need real sockets.
 * Without wrangler, whose proxy costs seventeen times as much as the Worker.
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
  /** Reads PDF and Office files. Absent: they can't be searched. */
  readonly documents?: WorkerBundle;
  /** Deletes the files. */
  readonly remove: () => Promise<void>;
}

export interface ServeOptions {
  readonly bundles: ServeBundles;
  readonly port: number;
  readonly router: RouterMount;
  readonly fleet: Fleet;
  /** The folder of the objects' storage; absent: a temporary one, deleted with the process. */
  readonly stateFolder?: string;
  /** Further variables, which take precedence. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Initial contents of the KV namespaces, by their id; their contents never outlive the process. */
  readonly kvSeeds?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Gets workerd's output, including log lines. Absent: log lines are discarded, at no cost. */
  readonly onLine?: (line: string) => void;
}

export interface RunningServe {
  readonly url: string;
  /** The id of the workerd process. */
  readonly pid: number;
  /** Resolves when the process has ended for any reason. */
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

/** Resolves when `/health` answers; rejects with workerd's own message if it ends first. */
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
  // It contains the local secrets.
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
  // Passes whole lines, since a line may come in several pieces.
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
  // workerd has read it. Left until later, it would stay if this process is killed.
  await rm(file, { force: true });
  if (child.pid === undefined) throw new Error("a running process has an id");
  return { url, pid: child.pid, ended, stop };
}

/** All of `.dev.vars`, as wrangler gives it to a Worker, including secrets of tenants and the fleet. */
function localVariables(): Readonly<Record<string, string>> {
  return { ...Object.fromEntries(readLocalVariables()), ...ensureLocalSecrets() };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Not listening yet: the caller tries again.
    return false;
  }
}
