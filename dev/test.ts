/**
 * `npm test` after `npm run check`: the projects of vitest.config.ts one after another, each in a process of its own, whose
 * summaries `.ci/run` adds up. What is given to it goes to vitest: `npm test -- durable-objects/generation`.
 *
 * A process that says nothing for `silentMs` is ended, and its project begins anew, once. That is for the runner and not for
 * tests: a test that takes too long fails by its own limit. Seen once in some thirty runs on a busy machine, idle, between two
 * files of `workers`, for an hour: vitest 5.1 notes after 90 s that a workerd has not started, and then waits for it all the same.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const projects = ["node", "workers", "e2e"] as const;
/** The longest file takes a minute, and says nothing before it is over. */
const silentMs = 240_000;
/** For what is ended to end by itself. */
const graceMs = 15_000;

type Ending = { readonly kind: "exited"; readonly code: number } | { readonly kind: "silent" };

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
let running: ChildProcess | undefined;

function runProject(project: string, more: readonly string[]): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const child = spawn(
    process.execPath,
    [vitest, "run", "--passWithNoTests", "--project", project, ...more],
    // A group of its own, so that what hangs below it ends with it.
    { stdio: ["ignore", "pipe", "pipe"], detached: true, env: { ...colours(), ...process.env } },
  );
  running = child;
  let silent = false;
  const onSilence = (): void => {
    silent = true;
    console.error(
      `\n${project}: nothing was said for ${silentMs / 1000} s. What runs:\n${processesOf(child)}`,
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
  const timer = setTimeout(onSilence, silentMs);
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
    if (running !== undefined) endGroup(running, signal);
    process.exitCode = 1;
  });

const more = process.argv.slice(2);
for (const project of projects) {
  if (process.exitCode !== undefined && process.exitCode !== 0) break;
  let ending = await runProject(project, more);
  if (ending.kind === "silent") {
    console.error(`${project}: begins anew, once.`);
    ending = await runProject(project, more);
  }
  if (ending.kind === "silent" || ending.code !== 0) process.exitCode = 1;
}
// Whatever may still hold the pipes of what was ended.
process.exit();
