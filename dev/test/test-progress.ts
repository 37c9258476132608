/**
 * A reporter beside Vitest's own, which speaks of a file only when it is over: tells dev/test.ts about each test that begins or
 * ends, and about the end of all, over the channel between parent and child process.
 */
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

export type TestOutcome = "passed" | "failed" | "skipped";

export type TestProgress =
  | { readonly kind: "began"; readonly id: string; readonly test: string }
  | {
      readonly kind: "ended";
      readonly id: string;
      readonly test: string;
      readonly outcome: TestOutcome;
      /** Of one that failed: what its first error says, in a line. */
      readonly why: string;
    }
  /** What failed beside any test: a file that can't be read, a hook of all its tests, an error that nobody caught. */
  | { readonly kind: "broke"; readonly what: string; readonly why: string }
  /** All tests have run. A process that ends without this message ended too soon, whatever its exit code. */
  | { readonly kind: "finished"; readonly hasFailed: boolean };

/** As much of Vitest's errors as is read here. */
interface Told {
  readonly message: string;
}

function tell(progress: TestProgress): void {
  process.send?.(progress);
}

function firstLine(errors: readonly Told[] | undefined): string {
  return errors?.[0]?.message.split("\n", 1)[0] ?? "";
}

function nameOf({ module, fullName }: TestCase): string {
  return `${module.relativeModuleId} > ${fullName}`;
}

// oxlint-disable-next-line import/no-default-export -- Vitest takes reporters from files so
export default class TestProgressReporter implements Reporter {
  readonly #told = new Set<string>();

  onTestCaseReady(test: TestCase): void {
    tell({ kind: "began", id: test.id, test: nameOf(test) });
  }

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state === "pending") return;
    this.#told.add(test.id);
    tell({ kind: "ended", id: test.id, test: nameOf(test), outcome: state, why: firstLine(errors) });
  }

  onTestSuiteResult(suite: TestSuite): void {
    this.#tellBroken(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module: TestModule): void {
    this.#tellBroken(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(modules: readonly TestModule[], uncaught: readonly Told[], reason: string): void {
    // Of a test that is left out Vitest says nothing before.
    for (const module of modules)
      for (const test of module.children.allTests())
        if (!this.#told.has(test.id)) this.onTestCaseResult(test);
    this.#tellBroken("an error that nobody caught", uncaught);
    tell({ kind: "finished", hasFailed: reason !== "passed" });
  }

  #tellBroken(what: string, errors: readonly Told[]): void {
    if (errors.length > 0) tell({ kind: "broke", what, why: firstLine(errors) });
  }
}
