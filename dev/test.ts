/**
 * `npm test` after `npm run check`: the projects of vitest.config.ts one after another, each in processes of its own. What is given to it
 * goes to vitest: `npm test -- durable-objects/generation`. At the end it names what failed and counts each test once: its last line is
 * what `.ci/run` reads.
 *
 * A process that says nothing for so long (`Silence`), of no file and of no test, is ended, and the job
 * begins anew. That is for the runner and not for tests: a test that takes too long fails by its own limit. Seen in one run of the
 * workers' files out of some twenty: all tests of a file have passed, and the plugin's Worker, idle, never tells vitest that the
 * file is finished, for which neither has a limit. So that little is done twice, the workers' files are cut into
 * parts. No failure is forgotten so: what failed before the silence has failed, however the job ends then.
 *
 * The pure rules run alone, since they use the whole machine. Of the rest three jobs run at once, since they mostly wait (alarms, time
 * limits, restarts); the output of the second and the third is printed when those before them have ended. The chat page is built
 * before both jobs that need it, and each job has a separate range of ports (free-ports.ts).
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onNpmEnd } from "./start/parent-watch.ts";
import { type Job, Jobs, type Silence } from "./test/jobs.ts";
import { OutputTurns } from "./test/output-turns.ts";
import { Tally } from "./test/tally.ts";

const parts = 7;
const lanes = 3;

/** Jobs that run at the same time. */
interface Step {
  readonly jobs: readonly Job[];
  readonly atOnce: number;
}

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const buildAssets = fileURLToPath(new URL("build-assets.ts", import.meta.url));
const progressReporter = fileURLToPath(new URL("test/test-progress.ts", import.meta.url));
const reporters = ["--reporter=default", `--reporter=${progressReporter}`];
const vitestRun = [vitest, "run", "--passWithNoTests", ...reporters, "--project"];

function stepsOf(more: readonly string[]): readonly Step[] {
  let jobs = 0;
  const job = (name: string, silence: Silence, ...how: readonly string[]): Job => {
    const first = 20_000 + 1000 * jobs++;
    const colours = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
    // A range as free-ports.ts takes it.
    const environment = { ...colours, EDGEWISE_TEST_PORTS: `${first}-${first + 999}` };
    return { name, command: [...vitestRun, ...how], environment, silence };
  };
  const whole = (name: string, silence: Silence): Job => job(name, silence, name, ...more);
  // Vitest gives itself a minute to end (`teardownTimeout`).
  const endMs = 120_000;
  // Stacks and products are started before the first test.
  const usual = { testMs: 360_000, idleMs: 360_000, endMs };
  // Theirs is what falls silent, and so costs: the shortest that their longest limit (ten minutes) allows.
  const ofWorkers = { testMs: 610_000, idleMs: 120_000, endMs };
  const part = (_: unknown, at: number): Job =>
    job(`workers, part ${at + 1} of ${parts}`, ofWorkers, "workers", `--shard=${at + 1}/${parts}`);
  // Files given by name are few.
  const workers = more.length > 0 ? [whole("workers", ofWorkers)] : Array.from({ length: parts }, part);
  return [
    { jobs: [whole("node", usual)], atOnce: 1 },
    // The longest first, so that none is left alone at the end.
    { jobs: [whole("stacks", usual), whole("e2e", usual), ...workers], atOnce: lanes },
  ];
}

const tally = new Tally();
const jobs = new Jobs(tally);

function stopBy(signal: NodeJS.Signals): void {
  jobs.stop(signal);
  process.exitCode = 1;
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopBy(signal));
onNpmEnd(() => stopBy("SIGTERM"));

async function runStep({ jobs: own, atOnce }: Step): Promise<void> {
  const turns = new OutputTurns((to, bytes) => process[to].write(bytes));
  const waiting = [...own];
  const lane = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined && !jobs.isStopped; job = waiting.shift()) {
      const output = turns.begin();
      await jobs.run(job, output);
      output.end();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

execFileSync(process.execPath, [buildAssets], { stdio: "inherit" });
for (const step of stepsOf(process.argv.slice(2))) await runStep(step);
if (tally.hasFailed) process.exitCode = 1;
process.stdout.write(tally.text());
// A reader that is slow may not have all of it yet: `.ci/run` once counted no test of the last job.
await Promise.all([process.stdout, process.stderr].map(written));
// Does not wait for processes that may still hold the pipes of ended ones.
process.exit();

/** Resolves when everything written before is delivered, or can't be any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
