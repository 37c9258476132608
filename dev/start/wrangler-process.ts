/** Runs `wrangler dev` as a child in a separate process group, so that nothing is left however this process ends. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { root } from "../local-secrets.ts";
import { leaveVariables } from "./wrangler-variables.ts";

export interface WranglerProcess {
  /** Resolves with the exit code when it has ended for any reason. */
  readonly ended: Promise<number>;
  /** Its last output lines, to show why it ended. */
  lastLines(): string;
  stop(): Promise<void>;
}

export function startWrangler(options: {
  readonly configs: readonly string[];
  readonly port: number;
  readonly persistTo: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}): WranglerProcess {
  const child = spawn(
    process.execPath,
    [
      // wrangler passes these node arguments on to its own process.
      "--import",
      pathToFileURL(`${root}dev/start/end-with-parent.ts`).href,
      "--import",
      pathToFileURL(`${root}dev/start/wrangler-variables.ts`).href,
      `${root}node_modules/wrangler/bin/wrangler.js`,
      "dev",
      ...options.configs.flatMap((config) => ["--config", config]),
      "--ip=127.0.0.1",
      `--port=${options.port}`,
      "--inspector-port=0",
      `--persist-to=${options.persistTo}`,
      "--show-interactive-dev-session=false",
    ],
    {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        // A file for each port, since a second `npm start` has another fleet.
        ...leaveVariables(`${root}.wrangler/edgewise/variables-${options.port}.json`, options.variables),
        WRANGLER_SEND_METRICS: "false",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        NO_COLOR: "1",
        FORCE_COLOR: "0",
      },
    },
  );
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      last.push(line);
      if (last.length > 60) last.shift();
      options.onLine(line);
    });
  }
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", () => resolve(1));
  });
  // An unexpected error would end this process without `stop`.
  const abandon = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGTERM");
  };
  process.once("exit", abandon);
  void ended.then(() => process.off("exit", abandon));
  return { ended, lastLines: () => last.join("\n"), stop: () => stopGroup(child, ended) };
}

/** The time for wrangler and workerd to end by themselves, and for the system to remove killed processes. */
const patienceMs = 5000;
const clearingMs = 2000;

/** Sends SIGTERM, then SIGKILL; resolves when the whole group is gone, including workerd, not just its first process. */
async function stopGroup(child: ChildProcess, ended: Promise<number>): Promise<void> {
  const pid = child.pid;
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  if (!(await groupIsGone(pid, patienceMs))) {
    signalGroup(pid, "SIGKILL");
    await groupIsGone(pid, clearingMs);
  }
  await ended;
}

async function groupIsGone(pid: number, withinMs: number): Promise<boolean> {
  for (const until = Date.now() + withinMs; Date.now() < until;) {
    if (!signalGroup(pid, 0)) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

/** False: the group no longer exists. Signal 0 only checks. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  // Windows has neither groups nor signals: this ends the process with all its children. (Never run there.)
  if (process.platform === "win32") {
    if (signal !== 0) spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"]);
    return false;
  }
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}
