/** When a batch tries again: a step that failed, and a line whose answer broke off. */
import { expect, test } from "vitest";
import { BatchProbe, line } from "../../test/workers/batch-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { answered, refusedLine } from "../../test/workers/scripted-batch.ts";

test("a step that fails is tried again within seconds", async () => {
  const probe = new BatchProbe();
  const failures = (): number => probe.control.reports.filter((one) => one.includes("out of reach")).length;
  Object.defineProperty(probe.control, "failsAt", {
    get: () => "open",
    set() {
      // It fails every time, not only the next.
    },
  });
  await probe.create([line("a")]);
  await eventually(() => expect(failures()).toBeGreaterThanOrEqual(3));
});

test("a line whose answer broke off is not asked again at once", async () => {
  const probe = new BatchProbe();
  const askedMs: number[] = [];
  probe.control.answers = (asked) => {
    askedMs.push(Date.now());
    return asked.attempt === 0 ? { kind: "again", answered: refusedLine(asked).answered } : answered(asked);
  };
  await probe.create([line("a")]);
  await probe.until("completed");
  const [first = 0, second = 0] = askedMs;
  expect(second - first).toBeGreaterThanOrEqual(500);
});
