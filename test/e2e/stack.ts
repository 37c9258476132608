/**
 * The running product for end-to-end tests: `npm start` itself, as a user starts it, on ports of its own, with a state
 * folder of its own and a dev fleet that answers at once.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdtempSync } from "node:fs";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { root } from "../../dev/local-secrets.ts";
import { freePort, freePorts, isFree } from "../../dev/start/free-ports.ts";
import { keepAsking, lastLinesOf } from "./last-words.ts";

export interface Stack {
  readonly url: string;
  /** Base URLs of the dev fleet's replicas, in the fleet file's order. */
  readonly replicas: readonly string[];
  /** Everything that the product prints goes to this file. */
  readonly logFile: string;
  readonly state: string;
  readonly process: ChildProcess;
  /**
   * As Ctrl-C does. Rejects where a process or a port is left, or where it does not end by itself with code 0. The state
   * stays for another start unless `keepState` is false, the default.
   */
  stop(options?: { readonly keepState?: boolean }): Promise<void>;
}

export interface StackOptions {
  /** Of `npm start`. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of an earlier stack; default a new one. */
  readonly state?: string;
}

export async function startStack({ environment = {}, state, flags = [] }: StackOptions = {}): Promise<Stack> {
  const port = await freePort();
  const [fleetPort = 0] = await freePorts(4);
  const folder = state ?? mkdtempSync(join(tmpdir(), "edgewise-e2e-"));
  const logFile = join(folder, "output.log");
  const child = spawn(process.execPath, [`${root}dev/start.ts`, ...flags], {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(port),
      DEV_FLEET_PORT: String(fleetPort),
      DEV_FLEET_TOKEN_MS: "0",
      DEV_FLEET_TTFT_MS: "0",
      EDGEWISE_STATE: join(folder, "state"),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Not `exit`: behind that there may still be lines in the pipes.
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  await untilReady(child, ended, logFile);
  const forget = keepAsking(`npm start on port ${port} printed last`, async () =>
    lastLinesOf(await readFile(logFile, "utf8")),
  );
  const replicas = [0, 1, 2, 3].map((index) => fleetPort + index);
  return {
    url: `http://127.0.0.1:${port}`,
    replicas: replicas.map((one) => `http://127.0.0.1:${one}`),
    logFile,
    state: folder,
    process: child,
    async stop({ keepState = false } = {}) {
      forget();
      const family = child.pid === undefined ? [] : await descendantsOf(child.pid);
      child.kill("SIGINT");
      const code = await ended;
      const alive = await leftOf(family);
      const taken: number[] = [];
      for (const one of [port, ...replicas]) if (!(await isFree(one))) taken.push(one);
      if (!keepState) await rm(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`Ctrl-C ended npm start with code ${code}`);
      if (alive.length > 0) throw new Error(`processes are left: ${alive.join(", ")}`);
      if (taken.length > 0) throw new Error(`ports are left open: ${taken.join(", ")}`);
    },
  };
}

async function untilReady(
  child: ChildProcess,
  ended: Promise<number | null>,
  logFile: string,
): Promise<void> {
  const log = createWriteStream(logFile, { flags: "a" });
  const first: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        // Who reads the file once it is ready finds all of it that came before.
        log.write(`${line}\n`, () => line.includes("Edgewise is ready") && resolve());
        if (first.length < 200) first.push(line);
      });
    }
    void ended.then((code) => {
      log.end();
      reject(new Error(`npm start ended with ${code}:\n${first.join("\n")}`));
    });
  });
}

/** The process ids of a process and of all that it started. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const one of family)
    for (const [child, parent] of pairs) if (parent === one && child !== undefined) family.push(child);
  return family;
}

/** What was killed is gone within this; what is left is left for good. */
const dyingMs = 10_000;

/** Those of them that live on. Not the dead whom nobody has buried: in a container that may be for ever. */
export async function leftOf(pids: readonly number[]): Promise<number[]> {
  for (const until = Date.now() + dyingMs; ;) {
    const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,stat="]);
    const living = new Set<number>();
    for (const line of stdout.trim().split("\n")) {
      const [pid, state = "Z"] = line.trim().split(/\s+/);
      if (!state.startsWith("Z")) living.add(Number(pid));
    }
    const left = pids.filter((pid) => living.has(pid));
    if (left.length === 0 || Date.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Runs a command of the repository to its end, e.g. `["dev/token.ts", "--tenant", "demo"]`, or kills it. */
export async function runScript(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}
