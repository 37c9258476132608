/**
 * `npm test` after `npm run check`: the projects of vitest.config.ts one after another, each in processes of its own, whose
 * summaries `.ci/run` adds up. What is given to it goes to vitest: `npm test -- durable-objects/generation`.
 *
 * A process that says nothing for `silentMs`, of no file and of no test (`idleMs` where no test is under way), is ended, and the job
 * begins anew. That is for the runner and not for tests: a test that takes too long fails by its own limit. Seen in one run of the
 * workers' files out of some twenty: all tests of a file have passed, and the plugin's Worker, idle, never tells vitest that the
 * file is finished, for which neither has a limit. So that little is done twice, the workers' files are cut into
 * parts. No failure is forgotten so: what failed before the silence fails the run, however the job ends then.
 *
 * The pure rules have the machine to themselves, of which they take all. Of the rest three jobs run at once, since they mostly wait
 * (alarms, time limits, restarts); what the second and the third say is printed when those before them have ended. Both that build the
 * chat page find it built, and each names ports of a range of its own (free-ports.ts).
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onNpmEnd } from "./start/parent-watch.ts";
import { OutputTurns, type JobOutput } from "./test/output-turns.ts";
import type { TestProgress } from "./test/test-progress.ts";

interface Job {
  readonly name: string;
  /** As free-ports.ts takes it. */
  readonly ports: string;
  readonly arguments: readonly string[];
  /** Longer than any of its tests may take by its own limit. */
  readonly silentMs: number;
  /** The same while no test is under way: a file begins, or its end is told. */
  readonly idleMs: number;
}

const mostTries = 3;
/** For what is ended to end by itself: a product that runs for the end-to-end tests has processes of its own to end. */
const graceMs = 30_000;
/** For the last words of a process that has ended. Not without a limit: what was left behind may hold its pipes open. */
const lastWordsMs = 5000;
const parts = 7;
const lanes = 3;

/** What runs at the same time. */
interface Step {
  readonly jobs: readonly Job[];
  readonly atOnce: number;
}

function stepsOf(more: readonly string[]): readonly Step[] {
  let jobs = 0;
  const job = (name: string, limits: Pick<Job, "silentMs" | "idleMs">, ...how: readonly string[]): Job => {
    const first = 20_000 + 1000 * jobs++;
    return { name, ports: `${first}-${first + 999}`, arguments: ["--project", ...how], ...limits };
  };
  const whole = (name: string, limits: Pick<Job, "silentMs" | "idleMs">): Job =>
    job(name, limits, name, ...more);
  // Before their first test stacks and products are started.
  const usual = { silentMs: 360_000, idleMs: 360_000 };
  // Theirs is what falls silent, and so costs: the shortest that their longest limit (four minutes) allows.
  const ofWorkers = { silentMs: 250_000, idleMs: 120_000 };
  const part = (_: unknown, at: number): Job =>
    job(`workers, part ${at + 1} of ${parts}`, ofWorkers, "workers", `--shard=${at + 1}/${parts}`);
  // Files that were asked for by name are few.
  const workers = more.length > 0 ? [whole("workers", ofWorkers)] : Array.from({ length: parts }, part);
  return [
    { jobs: [whole("node", usual)], atOnce: 1 },
    // The longest first, so that none is left alone at the end.
    { jobs: [whole("stacks", usual), whole("e2e", usual), ...workers], atOnce: lanes },
  ];
}

type Ending = { readonly kind: "exited"; readonly code: number } | { readonly kind: "silent" };

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const buildAssets = fileURLToPath(new URL("build-assets.ts", import.meta.url));
const progressReporter = fileURLToPath(new URL("test/test-progress.ts", import.meta.url));
const running = new Set<ChildProcess>();
const stop = new AbortController();

async function run(job: Job, output: JobOutput): Promise<Ending> {
  const reporters = ["--reporter=default", `--reporter=${progressReporter}`];
  const child = spawn(
    process.execPath,
    [vitest, "run", "--passWithNoTests", ...reporters, ...job.arguments],
    // A group of its own, so that what hangs below it ends with it.
    {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
      env: { ...colours(), ...process.env, EDGEWISE_TEST_PORTS: job.ports },
    },
  );
  running.add(child);
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const underWay = new Set<string>();
  const failed: string[] = [];
  let isFinished = false;
  let limitMs = job.idleMs;
  let silence: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(silence);
    limitMs = underWay.size === 0 ? job.idleMs : job.silentMs;
    silence = setTimeout(() => resolve({ kind: "silent" }), limitMs);
  };
  heard();
  child.on("message", (message) => {
    const progress = message as TestProgress;
    if (progress.kind === "finished") isFinished = true;
    else if (progress.kind === "began") underWay.add(progress.test);
    else {
      underWay.delete(progress.test);
      if (progress.hasFailed) failed.push(progress.test);
    }
    heard();
  });
  for (const [from, to] of [
    [child.stdout, "stdout"],
    [child.stderr, "stderr"],
  ] as const)
    from?.on("data", (bytes: Uint8Array) => {
      heard();
      output.write(to, bytes);
    });
  child.once("error", (error) => {
    output.line(error.message);
    resolve({ kind: "exited", code: 1 });
  });
  const closed = new Promise<void>((done) => child.once("close", () => done()));
  child.once("exit", (code, signal) => {
    if (signal !== null) output.line(`\n${job.name}: ended by ${signal}`);
    const ending = { kind: "exited", code: code ?? 1 } as const;
    const late = setTimeout(() => resolve(ending), lastWordsMs);
    void closed.then(() => {
      clearTimeout(late);
      resolve(ending);
    });
  });
  const ending = await promise;
  clearTimeout(silence);
  if (ending.kind === "silent") {
    output.line(
      `\n${job.name}: nothing was said for ${limitMs / 1000} s. Under way:\n${listOf(underWay)}\n` +
        `Failed until then:\n${listOf(failed)}\nWhat runs:\n${processesOf(child)}`,
    );
    if (failed.length > 0) process.exitCode = 1;
  }
  await endGroup(child);
  running.delete(child);
  if (ending.kind === "silent" || ending.code !== 0 || isFinished) return ending;
  output.line(`\n${job.name}: ended before all of its tests had run`);
  return { kind: "exited", code: 1 };
}

function listOf(tests: Iterable<string>): string {
  return [...tests].map((test) => `  ${test}`).join("\n") || "  nothing";
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

/** Ends whatever is left of a job: gently first. Resolves when it is gone. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (!signalGroup(child, "SIGTERM")) return;
  if (await isGone(child, graceMs)) return;
  signalGroup(child, "SIGKILL");
  if (!(await isGone(child, graceMs))) console.error(`processes are left:\n${processesOf(child)}`);
}

async function isGone(child: ChildProcess, withinMs: number): Promise<boolean> {
  for (const until = Date.now() + withinMs; Date.now() < until;) {
    if (!signalGroup(child, 0) || !hasLiving(child)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** Dead ones that nobody has buried count for the system, and for nobody else: in a container that may be for ever. */
function hasLiving({ pid }: ChildProcess): boolean {
  const all = execFileSync("ps", ["-A", "-o", "pgid=,stat="], { encoding: "utf8" });
  return all
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(([group, state = "Z"]) => Number(group) === pid && !state.startsWith("Z"));
}

/** False: there is no such group any more. Signal 0 only asks. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}

function stopBy(signal: NodeJS.Signals): void {
  stop.abort();
  process.exitCode = 1;
  for (const child of running) signalGroup(child, signal);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopBy(signal));
onNpmEnd(() => stopBy("SIGTERM"));

/** A job until it ends, begun anew while it falls silent. */
async function runJob(job: Job, output: JobOutput): Promise<void> {
  let ending: Ending = { kind: "silent" };
  for (let tries = 1; tries <= mostTries && ending.kind === "silent" && !stop.signal.aborted; tries++) {
    output.line(tries === 1 ? `\n${job.name}` : `\n${job.name}: begins anew (${tries} of ${mostTries})`);
    ending = await run(job, output);
  }
  if (ending.kind === "silent" || ending.code !== 0) process.exitCode = 1;
}

async function runStep({ jobs, atOnce }: Step): Promise<void> {
  const turns = new OutputTurns((to, bytes) => process[to].write(bytes));
  const waiting = [...jobs];
  const lane = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined && !stop.signal.aborted; job = waiting.shift()) {
      const output = turns.begin();
      await runJob(job, output);
      output.end();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

execFileSync(process.execPath, [buildAssets], { stdio: "inherit" });
for (const step of stepsOf(process.argv.slice(2))) await runStep(step);
// A reader that is slow may not have all of it yet: `.ci/run` once counted no test of the last job.
await Promise.all([process.stdout, process.stderr].map(written));
// Whatever may still hold the pipes of what was ended.
process.exit();

/** Resolves when everything that was written before has been handed over, or can't be any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
