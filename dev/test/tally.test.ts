import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

test("a test that ran twice counts once, and one that failed once has failed", () => {
  const tally = new Tally();
  tally.ended("a", "passed");
  tally.ended("b", "failed");
  tally.failed("node: x.test.ts > b", "expected 1 to be 2");
  for (const id of ["a", "b", "c"]) tally.ended(id, "passed");
  tally.ended("d", "skipped");
  expect(tally.hasFailed).toBe(true);
  expect(tally.text()).toBe(`
Failed:
  node: x.test.ts > b
    expected 1 to be 2

All tests: 2 passed, 1 failed, 1 skipped
`);
});

test("what failed and is no test counts as one, once", () => {
  const tally = new Tally();
  tally.ended("a", "passed");
  for (let tries = 0; tries < 2; tries += 1) tally.broke("e2e: page.test.ts", "no browser");
  tally.broke("workers", "ended by SIGKILL");
  expect(tally.text()).toContain("All tests: 1 passed, 2 failed, 0 skipped\n");
});

test("where all is well nothing is named", () => {
  const tally = new Tally();
  tally.ended("a", "passed");
  expect([tally.hasFailed, tally.text()]).toEqual([false, "\nAll tests: 1 passed, 0 failed, 0 skipped\n"]);
});
