/**
 * What came of all tests, whatever came of the processes that ran them: a job that is begun anew runs tests a second time, and one that
 * is killed says nothing of those that it had run. `.ci/run` reads the last line.
 */
import type { TestOutcome } from "./test-progress.ts";

export class Tally {
  readonly #outcomes = new Map<string, TestOutcome>();
  /** In the order in which they came, once each; whether each is a test's. */
  readonly #failures = new Map<string, boolean>();

  get hasFailed(): boolean {
    return this.#faults.size > 0;
  }

  /** A test that has failed stays so, also where it passes when its job begins anew. */
  ended(id: string, outcome: TestOutcome): void {
    if (this.#outcomes.get(id) !== "failed") this.#outcomes.set(id, outcome);
  }

  /** A test that failed, by its name. */
  failed(test: string, why: string): void {
    this.#failures.set(told(test, why), true);
  }

  /** What failed and is no test: a file that can't be read, a hook, a process. Counts as one test. */
  broke(what: string, why: string): void {
    this.#failures.set(told(what, why), false);
  }

  /** Ends with the line of counts. */
  text(): string {
    const count = (outcome: TestOutcome): number =>
      [...this.#outcomes.values()].filter((one) => one === outcome).length;
    const failures = [...this.#faults.keys()].join("");
    const broken = [...this.#faults.values()].filter((isTest) => !isTest).length;
    const counts = `${count("passed")} passed, ${count("failed") + broken} failed, ${count("skipped")} skipped`;
    return `\n${failures === "" ? "" : `Failed:\n${failures}\n`}All tests: ${counts}\n`;
  }

  /** A mistyped name of a file must not look like tests that pass. */
  get #faults(): ReadonlyMap<string, boolean> {
    return this.#failures.size + this.#outcomes.size > 0 ? this.#failures : nothingRan;
  }
}

const nothingRan = new Map([[told("no test ran", "no file of tests has such a name"), false]]);

function told(what: string, why: string): string {
  return `  ${what}\n    ${why}\n`;
}
