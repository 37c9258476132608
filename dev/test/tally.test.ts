import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../local-secrets.ts";
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

test("what the last line says is what .ci/run counts, whatever else was printed", () => {
  const tally = new Tally();
  for (const id of ["a", "b"]) tally.ended(id, "passed");
  tally.ended("c", "skipped");
  tally.broke("workers", "ended by SIGKILL");
  const [count = ""] = /^count\(\) .*$/m.exec(readFileSync(join(root, ".ci/run"), "utf8")) ?? [];
  const script = `log=$(mktemp); cat > "$log"; ${count}
    echo "$(count passed) $(count failed) $(count skipped)"; rm "$log"`;
  const input = `      Tests  7 passed (7)\nAll tests: 7 passed, 7 failed, 7 skipped\n${tally.text()}> edgewise\n`;
  expect(execFileSync("bash", ["-c", script], { input, encoding: "utf8" })).toBe("2 1 1\n");
});

test("where no test has run, that is a failure: a mistyped name would look like success", () => {
  const tally = new Tally();
  expect([tally.hasFailed, tally.text()]).toEqual([
    true,
    "\nFailed:\n  no test ran\n    no file of tests has such a name\n\nAll tests: 0 passed, 1 failed, 0 skipped\n",
  ]);
  tally.ended("one", "skipped");
  expect(tally.hasFailed).toBe(false);
});
