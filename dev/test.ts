/**
 * `npm test` after `npm run check`: the projects of vitest.config.ts one after another, each in processes of its own, whose
 * summaries `.ci/run` adds up. What is given to it goes to vitest: `npm test -- durable-objects/generation`.
 *
 * A process that says nothing for its job's `silentMs` is ended, and the job begins anew. That is for the runner and not for
 * tests: a test that takes too long fails by its own limit. Seen twice in some hundred runs of test/workers/killed-turns.test.ts
 * on a busy machine: all its tests have passed, and the plugin's Worker, idle, never tells vitest that the file is finished,
 * for which neither has a limit. So that little is done twice, the workers' files are cut into parts.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

interface Job {
  readonly name: string;
  readonly arguments: readonly string[];
  /** Longer than its longest file takes on a busy machine, which says nothing before it is over. */
  readonly silentMs: number;
}

const parts = 6;
const workersSilentMs = 150_000;

function jobsOf(more: readonly string[]): readonly Job[] {
  const whole = (name: string, silentMs: number): Job => ({
    name,
    arguments: ["--project", name, ...more],
    silentMs,
  });
  // Files that were asked for by name are few.
  const workers =
    more.length > 0
      ? [whole("workers", workersSilentMs)]
      : Array.from({ length: parts }, (_, at) => ({
          name: `workers, part ${at + 1} of ${parts}`,
          arguments: ["--project", "workers", `--shard=${at + 1}/${parts}`],
          silentMs: workersSilentMs,
        }));
  return [whole("node", 240_000), ...workers, whole("e2e", 240_000)];
}

const mostTries = 3;
/** For what is ended to end by itself. */
const graceMs = 15_000;

type Ending = { readonly kind: "exited"; readonly code: number } | { readonly kind: "silent" };

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
let running: ChildProcess | undefined;
const stop = new AbortController();

function run(job: Job): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const child = spawn(
    process.execPath,
    [vitest, "run", "--passWithNoTests", ...job.arguments],
    // A group of its own, so that what hangs below it ends with it.
    { stdio: ["ignore", "pipe", "pipe"], detached: true, env: { ...colours(), ...process.env } },
  );
  running = child;
  let silent = false;
  const onSilence = (): void => {
    silent = true;
    console.error(
      `\n${job.name}: nothing was said for ${job.silentMs / 1000} s. What runs:\n${processesOf(child)}`,
    );
    // Gently first: a product that runs for the end-to-end tests has processes of its own to end.
    endGroup(child, "SIGTERM");
    const force = setTimeout(() => endGroup(child, "SIGKILL"), graceMs);
    // Not `close`: what was left behind may hold the pipes open.
    child.once("exit", () => {
      clearTimeout(force);
      resolve({ kind: "silent" });
    });
  };
  const timer = setTimeout(onSilence, job.silentMs);
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const)
    from.on("data", (bytes: Uint8Array) => {
      if (!silent) timer.refresh();
      to.write(bytes);
    });
  child.once("error", (error) => {
    console.error(error.message);
    resolve({ kind: "exited", code: 1 });
  });
  child.once("close", (code) => {
    clearTimeout(timer);
    resolve({ kind: "exited", code: code ?? 1 });
  });
  return promise;
}

function colours(): Readonly<Record<string, string>> {
  return process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
}

/** State and processor time tell a deadlock from an endless loop. */
function processesOf({ pid }: ChildProcess): string {
  try {
    return execFileSync("ps", ["-o", "pid,stat,etime,time,args", "-g", String(pid)], { encoding: "utf8" });
  } catch (error) {
    return String(error);
  }
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: it has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    stop.abort();
    process.exitCode = 1;
    if (running !== undefined) endGroup(running, signal);
  });

for (const job of jobsOf(process.argv.slice(2))) {
  if (stop.signal.aborted) break;
  let ending: Ending = { kind: "silent" };
  for (let tries = 1; tries <= mostTries && ending.kind === "silent" && !stop.signal.aborted; tries++) {
    console.log(tries === 1 ? `\n${job.name}` : `\n${job.name}: begins anew (${tries} of ${mostTries})`);
    ending = await run(job);
  }
  if (ending.kind === "silent" || ending.code !== 0) process.exitCode = 1;
}
// Whatever may still hold the pipes of what was ended.
process.exit();
