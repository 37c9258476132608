/** Jobs whose processes are a few lines that tell what Vitest's reporter would, and end as they like. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Jobs, type Silence } from "./jobs.ts";
import { OutputTurns } from "./output-turns.ts";
import { Tally } from "./tally.ts";

const directory = mkdtempSync(join(tmpdir(), "edgewise-jobs-"));
afterAll(() => rmSync(directory, { recursive: true }));
let made = 0;

/** Longer than a process needs to begin, and to end, on whatever machine. */
const long = 120_000;

/** @param script in it `tell`, `began` and `ended` are the reporter's; `tries` counts from 1; `rest()` never ends by itself */
async function ran(script: string, more: Partial<Silence> = {}) {
  const tally = new Tally();
  const out: string[] = [];
  const turns = new OutputTurns((_, bytes) => out.push(new TextDecoder().decode(bytes)));
  made += 1;
  const place = JSON.stringify(join(directory, `tries-${made}`));
  const whole = `
    import { appendFileSync, readFileSync } from "node:fs";
    appendFileSync(${place}, "x");
    const tries = readFileSync(${place}, "utf8").length;
    const tell = (progress) => new Promise((resolve) => process.send(progress, resolve));
    const began = (id) => tell({ kind: "began", id, test: "a.test.ts > " + id });
    const ended = (id, outcome) => tell({ kind: "ended", id, test: "a.test.ts > " + id, outcome, why: "the reason" });
    const passed = async (id) => { await began(id); await ended(id, "passed"); };
    const finished = (hasFailed) => tell({ kind: "finished", hasFailed });
    const rest = () => new Promise(() => setInterval(() => undefined, 1000));
    ${script}
    process.exit();`;
  await new Jobs(tally).run(
    {
      name: "job",
      command: ["--input-type=module", "--eval", whole],
      environment: {},
      silence: { testMs: long, idleMs: long, endMs: long, ...more },
    },
    turns.begin(),
  );
  return { text: tally.text(), hasFailed: tally.hasFailed, out: out.join("") };
}

const counts = (passed: number, failed: number) => `All tests: ${passed} passed, ${failed} failed, 0 skipped`;

test("a job that has told all of its tests, and ends well, is just its tests", async () => {
  const { text, hasFailed, out } = await ran(`
    console.log("said");
    await passed("one");
    await finished(false);`);
  expect([text.trim(), hasFailed]).toEqual([counts(1, 0), false]);
  expect(out).toContain("said");
});

test("a job that falls silent is begun anew: no test counts twice, and what had failed by then has failed, by its name", async () => {
  const { text, out } = await ran(
    `
    await passed("one");
    await began("two");
    await ended("two", tries === 1 ? "failed" : "passed");
    await began("three");
    if (tries === 1) await rest();
    await ended("three", "passed");
    await finished(false);`,
    { testMs: 4000 },
  );
  expect(text).toContain(counts(2, 1));
  expect(text).toContain("job: a.test.ts > two\n    the reason");
  expect(out).toContain("Under way:\n  a.test.ts > three\n");
  expect(out).toContain("begins anew (2 of 3)");
});

test("a job that falls silent each time fails in the end, with what it did until then", async () => {
  const { text } = await ran(
    `
    await passed("one");
    await began("two");
    await rest();`,
    { testMs: 2000 },
  );
  expect(text).toContain(counts(1, 1));
  expect(text).toContain("job\n    nothing was said for 2 s");
});

test("a job that is killed fails by that, and what it had told counts", async () => {
  const { text, out } = await ran(`
    await passed("one");
    await began("two");
    process.kill(process.pid, "SIGKILL");
    await rest();`);
  expect(text).toContain(counts(1, 1));
  expect(text).toContain("job\n    ended by SIGKILL");
  expect(out).not.toContain("begins anew");
});

test("a job that ends well before all of its tests have run fails", async () => {
  const { text } = await ran(`await passed("one");`);
  expect(text).toContain("job\n    ended before all of its tests had run");
  expect(text).toContain(counts(1, 1));
});

test("a job that has told the end of all and does not end is ended, and not begun anew: what came of it is known", async () => {
  const script = (hasFailed: boolean) => `
    await passed("one");
    await finished(${hasFailed});
    await rest();`;
  const well = await ran(script(false), { endMs: 200 });
  expect([well.text.trim(), well.out.trim()]).toEqual([counts(1, 0), "job"]);
  const badly = await ran(script(true), { endMs: 200 });
  expect(badly.text).toContain(counts(1, 1));
  expect(badly.text).toContain("job\n    failed, and none of its tests says why");
});

test("a job that fails beside its tests is one failure, with what it tells of it, or else without", async () => {
  const told = await ran(`
    await passed("one");
    await tell({ kind: "broke", what: "b.test.ts", why: "can't be read" });
    await finished(true);
    process.exitCode = 1;`);
  expect(told.text).toContain(counts(1, 1));
  expect(told.text).toContain("job: b.test.ts\n    can't be read");
  const untold = await ran(`
    await passed("one");
    await finished(false);
    process.exitCode = 1;`);
  expect(untold.text).toContain(counts(1, 1));
  expect(untold.text).toContain("failed, and none of its tests says why");
});

test("a failed test is the failure of its job, and nothing beside it", async () => {
  const { text } = await ran(`
    await began("one");
    await ended("one", "failed");
    await finished(true);
    process.exitCode = 1;`);
  expect(text).toContain(counts(0, 1));
});
