/** A process and all that hang below it, which end together: a job of dev/test.ts starts workerd, browsers, whole products. */
import { type ChildProcess, execFileSync } from "node:child_process";

/** For what is ended to end by itself: a product that runs for the end-to-end tests has processes of its own to end. */
const graceMs = 30_000;

/** @param child leads a group of its own (`detached`) */
export class ProcessGroup {
  readonly #pid: number | undefined;

  constructor({ pid }: ChildProcess) {
    this.#pid = pid;
  }

  /** Ends whatever is left of it: gently first. Resolves when it is gone. */
  async end(): Promise<void> {
    if (!this.signal("SIGTERM")) return;
    if (await this.#isGone()) return;
    this.signal("SIGKILL");
    if (!(await this.#isGone())) console.error(`processes are left:\n${this.list()}`);
  }

  /** False: there is no such group any more. Signal 0 only asks. */
  signal(signal: NodeJS.Signals | 0): boolean {
    if (this.#pid === undefined) return false;
    try {
      return process.kill(-this.#pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      return false;
    }
  }

  /** State and processor time tell a deadlock from an endless loop. */
  list(): string {
    return ps("-o", "pid,stat,etime,time,args", "-g", String(this.#pid));
  }

  async #isGone(): Promise<boolean> {
    for (const until = Date.now() + graceMs; Date.now() < until;) {
      if (!this.signal(0) || !this.#hasLiving()) return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
  }

  /** Dead ones that nobody has buried count for the system, and for nobody else: in a container that may be for ever. */
  #hasLiving(): boolean {
    return ps("-A", "-o", "pgid=,stat=")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(([group, state = "Z"]) => Number(group) === this.#pid && !state.startsWith("Z"));
  }
}

/** What it says, or why it can't: not every machine has it. */
function ps(...options: readonly string[]): string {
  try {
    return execFileSync("ps", options, { encoding: "utf8" });
  } catch (error) {
    return String(error);
  }
}
