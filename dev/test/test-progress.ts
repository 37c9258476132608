/**
 * A reporter beside Vitest's own, which speaks of a file only when it is over: tells dev/test.ts of each test that began or
 * ended, over the channel that it has to the process that it started.
 */
import type { Reporter, TestCase } from "vitest/node";

export type TestProgress =
  | { readonly kind: "began"; readonly test: string }
  | { readonly kind: "ended"; readonly test: string; readonly hasFailed: boolean };

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
}
