/**
 * Runs jobs of tests, each a process of its own that tells what it does (test-progress.ts), and keeps the tally. One that falls silent is
 * ended and begun anew: why is said in dev/test.ts.
 */
import { spawn } from "node:child_process";
import type { JobOutput } from "./output-turns.ts";
import { ProcessGroup } from "./process-group.ts";
import type { Tally } from "./tally.ts";
import type { TestProgress } from "./test-progress.ts";

/** How long a job may say nothing, of no file and of no test. */
export interface Silence {
  /** While a test is under way: longer than any of its tests may take by its own limit. */
  readonly testMs: number;
  /** While none is: a file begins, or its end is told. */
  readonly idleMs: number;
  /** When all have run, and the process is to end. */
  readonly endMs: number;
}

export interface Job {
  readonly name: string;
  /** What node is started with. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly silence: Silence;
}

type Ending =
  /** `fault`: why it failed, where none of its tests says so; `null`: there is nothing to say beside the tests. */
  | { readonly kind: "over"; readonly fault: string | null }
  | { readonly kind: "silent"; readonly fault: string };

const mostTries = 3;
/** For the last words of a process that has ended. Not without a limit: what was left behind may hold its pipes open. */
const lastWordsMs = 5000;

export class Jobs {
  readonly #tally: Tally;
  readonly #running = new Set<ProcessGroup>();
  #isStopped = false;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whatever runs is told to end, and nothing begins any more. */
  stop(signal: NodeJS.Signals): void {
    this.#isStopped = true;
    for (const group of this.#running) group.signal(signal);
  }

  /** A job until it ends, begun anew while it falls silent. Resolves when nothing of it runs any more. */
  async run(job: Job, output: JobOutput): Promise<void> {
    for (let tries = 1; !this.#isStopped; tries++) {
      output.line(tries === 1 ? `\n${job.name}` : `\n${job.name}: begins anew (${tries} of ${mostTries})`);
      const { kind, fault } = await this.#try(job, output);
      if (fault !== null) output.line(`\n${job.name}: ${fault}`);
      if (kind === "silent" && tries < mostTries) continue;
      if (fault !== null) this.#tally.broke(job.name, fault.split("\n", 1)[0] ?? "");
      return;
    }
  }

  async #try(job: Job, output: JobOutput): Promise<Ending> {
    const child = spawn(process.execPath, job.command, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own, so that what hangs below it ends with it.
      detached: true,
      env: { ...process.env, ...job.environment },
    });
    const group = new ProcessGroup(child);
    this.#running.add(group);
    const { promise, resolve } = Promise.withResolvers<Ending>();
    const underWay = new Map<string, string>();
    let hasFailed = false;
    let finished: { readonly hasFailed: boolean } | null = null;
    let silence: NodeJS.Timeout | undefined;
    const fellSilent = (limitMs: number): Ending => {
      // Nothing is left to run, and what came of it is known.
      if (finished !== null) return { kind: "over", fault: unsaid(finished.hasFailed && !hasFailed) };
      const tests = [...underWay.values()].map((test) => `  ${test}`).join("\n") || "  nothing";
      const fault = `nothing was said for ${limitMs / 1000} s\nUnder way:\n${tests}\nWhat runs:\n${group.list()}`;
      return { kind: "silent", fault };
    };
    const heard = (): void => {
      clearTimeout(silence);
      const { testMs, idleMs, endMs } = job.silence;
      const limitMs = finished === null ? (underWay.size === 0 ? idleMs : testMs) : endMs;
      silence = setTimeout(() => resolve(fellSilent(limitMs)), limitMs);
    };
    heard();
    child.on("message", (message) => {
      const progress = message as TestProgress;
      if (progress.kind === "finished") finished = progress;
      else if (progress.kind === "began") underWay.set(progress.id, progress.test);
      else if (progress.kind === "ended") underWay.delete(progress.id);
      hasFailed = this.#count(job, progress) || hasFailed;
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
    child.once("error", (error) => resolve({ kind: "over", fault: error.message }));
    const closed = new Promise<void>((done) => child.once("close", () => done()));
    child.once("exit", (code, signal) => {
      const over = (): void => {
        clearTimeout(late);
        if (signal !== null) resolve({ kind: "over", fault: `ended by ${signal}` });
        else if (code !== 0) resolve({ kind: "over", fault: unsaid(!hasFailed) });
        else
          resolve({
            kind: "over",
            fault: finished === null ? "ended before all of its tests had run" : null,
          });
      };
      const late = setTimeout(over, lastWordsMs);
      void closed.then(over);
    });
    const ending = await promise;
    clearTimeout(silence);
    await group.end();
    this.#running.delete(group);
    return ending;
  }

  /** @returns whether something failed */
  #count(job: Job, progress: TestProgress): boolean {
    switch (progress.kind) {
      case "began":
      case "finished":
        return false;
      case "broke":
        this.#tally.broke(`${job.name}: ${progress.what}`, progress.why);
        return true;
      case "ended":
        this.#tally.ended(progress.id, progress.outcome);
        if (progress.outcome !== "failed") return false;
        this.#tally.failed(`${job.name}: ${progress.test}`, progress.why);
        return true;
    }
  }
}

function unsaid(isSo: boolean): string | null {
  return isSo ? "failed, and none of its tests says why" : null;
}
