/**
 * A reporter beside Vitest's own, which speaks of a file only when it is over: tells dev/test.ts of each test that began or
 * ended, and of the end of all, over the channel that it has to the process that it started.
 */
import type { Reporter, TestCase } from "vitest/node";

export type TestProgress =
  | { readonly kind: "began"; readonly test: string }
  | { readonly kind: "ended"; readonly test: string; readonly hasFailed: boolean }
  /** All tests have run: a process that ends without having said so ended too soon, whatever its exit code. */
  | { readonly kind: "finished" };

function tell(progress: TestProgress): void {
  process.send?.(progress);
}

function nameOf({ module, fullName }: TestCase): string {
  return `${module.relativeModuleId} > ${fullName}`;
}

// oxlint-disable-next-line import/no-default-export -- Vitest takes reporters from files so
export default class TestProgressReporter implements Reporter {
  onTestCaseReady(test: TestCase): void {
    tell({ kind: "began", test: nameOf(test) });
  }

  onTestCaseResult(test: TestCase): void {
    tell({ kind: "ended", test: nameOf(test), hasFailed: test.result().state === "failed" });
  }

  onTestRunEnd(): void {
    tell({ kind: "finished" });
  }
}
