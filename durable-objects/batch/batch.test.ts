/** One Batch object by itself: its steps, cut off anywhere, and what it tells of its lines. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { BatchView } from "../../src/shared/contracts/batch.ts";
import { BatchProbe, line } from "../../test/workers/batch-probe.ts";
import { eventually } from "../../test/workers/eventually.ts";
import { answered, batchSteps, refusedLine, type BatchStep } from "../../test/workers/scripted-batch.ts";
import { holdsText } from "../../test/workers/stored-text.ts";

const names = ["a", "b", "c", "d", "e", "f"];

/** Of six lines two are answered by an error, so that there are both files. */
async function sixLines(probe: BatchProbe, step: BatchStep, how: "stopsAt" | "failsAt"): Promise<void> {
  probe.control.answers = (asked) => (asked.number % 3 === 0 ? refusedLine(asked) : answered(asked));
  probe.control[how] = step;
  await probe.create(names.map((name) => line(name)));
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
}

async function expectOnce(probe: BatchProbe): Promise<void> {
  const view = await probe.until("completed");
  expect(view).toMatchObject({
    total: 6,
    tally: { completed: 4, failed: 2, inputTokens: 40, outputTokens: 8 },
    outputFileId: "file-output",
    errorFileId: "file-error",
  });
  expect(probe.names("output").sort()).toEqual(["a", "b", "d", "e"]);
  expect(probe.names("error").sort()).toEqual(["c", "f"]);
  expect(probe.control.asked.toSorted()).toEqual(["1/0", "2/0", "3/0", "4/0", "5/0", "6/0"]);
  await eventually(() => expect(probe.control.told).toContain("ended"));
  expect(await holdsText(probe.stub, "hello")).toBe(false);
}

test.for(batchSteps)(
  "killed at '%s' a batch goes on: every line has one turn and one place in a file",
  async (step) => {
    const probe = new BatchProbe();
    await sixLines(probe, step, "stopsAt");
    await abortAllDurableObjects();
    // The platform rings it, some seconds later.
    await runDurableObjectAlarm(probe.stub);
    await expectOnce(probe);
  },
);

test.for(batchSteps)(
  "whoever can't be reached at '%s' is asked again: every line has one turn and one place in a file",
  async (step) => {
    const probe = new BatchProbe();
    await sixLines(probe, step, "failsAt");
    // Where it waits for its alarm, that is rung early.
    await eventually(async () => {
      await runDurableObjectAlarm(probe.stub);
      expect((await probe.view()).status).toBe("completed");
    });
    await expectOnce(probe);
  },
);

test("what is refused for now is asked again, behind the others, and does not fail", async () => {
  const probe = new BatchProbe();
  let refusals = 2;
  probe.control.answers = (asked) => {
    if (asked.number !== 1 || refusals === 0) return answered(asked);
    refusals -= 1;
    return { kind: "wait", retryAfterMs: 500 };
  };
  await probe.create(names.map((name) => line(name)));
  expect((await probe.until("completed")).tally).toMatchObject({ completed: 6, failed: 0 });
  expect(probe.control.asked.filter((name) => name === "1/0")).toHaveLength(3);
  expect(probe.names("output").at(-1)).toBe("a");
});

test("an answer that breaks off is another attempt, three at most", async () => {
  const probe = new BatchProbe();
  probe.control.answers = (asked) =>
    asked.number === 1 || (asked.number === 2 && asked.attempt === 0)
      ? { kind: "again", answered: refusedLine(asked).answered }
      : answered(asked);
  await probe.create([line("breaks"), line("once"), line("well")]);
  expect((await probe.until("completed")).tally).toMatchObject({ completed: 2, failed: 1 });
  expect(probe.control.asked.toSorted()).toEqual(["1/0", "1/1", "1/2", "2/0", "2/1", "3/0"]);
  expect(probe.names("error")).toEqual(["breaks"]);
});

test("when its day is over what is under way ends, and what never began is told as expired", async () => {
  const probe = new BatchProbe();
  const gate = Promise.withResolvers<void>();
  probe.control.answers = async (asked) => {
    if (asked.number > 1) return { kind: "wait", retryAfterMs: 60_000 };
    await gate.promise;
    return answered(asked);
  };
  await probe.create([line("under way"), line("waits"), line("waits, too")]);
  await eventually(() => expect(probe.control.asked).toHaveLength(3));
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE batch SET life = json_set(life, '$.createdMs', 1)");
  });
  gate.resolve();
  const view = await probe.until("expired");
  expect(view).toMatchObject({ total: 3, tally: { completed: 1, failed: 0 } });
  expect(view.times).toMatchObject({ finalizing: expect.any(Number) as number });
  expect(probe.names("output")).toEqual(["under way"]);
  expect(probe.names("error")).toEqual(["waits", "waits, too"]);
  expect(probe.control.files.get("error")).toContain('"batch_expired"');
});

test.for([
  ["a batch that lay for days", "asked"],
  ["a batch that lay for longer than its turns are kept", "ask"],
] as const)("%s asks nobody anew, and tells what it finds", async ([, step]) => {
  const probe = new BatchProbe();
  await sixLines(probe, step, "stopsAt");
  await probe.kill();
  const asked = probe.control.asked.length;
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE batch SET life = json_set(life, '$.createdMs', 1)");
  });
  await runDurableObjectAlarm(probe.stub);
  await probe.until("expired");
  expect(probe.control.asked).toHaveLength(asked);
  expect([...probe.names("output"), ...probe.names("error")].sort()).toEqual(names);
  const told = probe.control.files.get("error")?.match(/"batch_expired"/g) ?? [];
  expect(told).toHaveLength(6 - asked);
});

const losses: readonly (readonly [string, (probe: BatchProbe) => unknown, BatchView["status"]])[] = [
  ["its file is deleted", (probe) => (probe.control.input = null), "completed"],
  ["it is cancelled", (probe) => probe.stub.cancel(probe.message), "cancelled"],
  [
    "nobody's request is answered any more",
    (probe) => {
      probe.control.answers = () => ({ kind: "stop", code: "credential_revoked", message: "" });
    },
    "completed",
  ],
];

test.for(losses)(
  "what a line was answered before a kill is told, though %s before the batch wakes",
  async ([, lose, status]) => {
    const probe = new BatchProbe();
    probe.control.stopsAt = "asked";
    await probe.create([line("a")]);
    await eventually(() => expect(probe.control.hasArrived).toBe(true));
    await probe.kill();
    await lose(probe);
    await runDurableObjectAlarm(probe.stub);
    expect((await probe.until(status)).tally).toMatchObject({ completed: 1, inputTokens: 10 });
    expect(probe.names("output")).toEqual(["a"]);
    expect(probe.control.asked).toEqual(["1/0"]);
  },
);

test("a line that had no turn yet when it was killed gets none behind a cancel", async () => {
  const probe = new BatchProbe();
  probe.control.stopsAt = "ask";
  await probe.create([line("a")]);
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
  await probe.kill();
  await probe.stub.cancel(probe.message);
  expect((await probe.until("cancelled")).tally).toMatchObject({ completed: 0, failed: 0 });
  expect(probe.control.asked).toEqual([]);
});

test("a turn that can't be looked for behind a kill is looked for again", async () => {
  const probe = new BatchProbe();
  probe.control.stopsAt = "asked";
  await probe.create([line("a")]);
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
  await probe.kill();
  probe.control.failsAt = "find";
  await runDurableObjectAlarm(probe.stub);
  await eventually(async () => expect((await probe.view()).status).toBe("completed"));
  expect(probe.control.failsAt).toBeNull();
  expect(probe.control.asked).toEqual(["1/0"]);
});

test.for([
  [
    "a revoked credential",
    (probe: BatchProbe) => {
      probe.control.answers = (asked) =>
        asked.number < 3
          ? answered(asked)
          : { kind: "stop", code: "credential_revoked", message: "Revoked." };
    },
    "credential_revoked",
  ],
  [
    "a deleted input file",
    (probe: BatchProbe) => {
      probe.control.answers = (asked) => {
        // What was read with it is read still.
        if (asked.number === 2) probe.control.input = null;
        return answered(asked);
      };
    },
    "file_not_found",
  ],
] as const)(
  "%s ends it as failed: what was answered lies in its file, and the rest is told",
  async ([, prepare, code]) => {
    const probe = new BatchProbe();
    prepare(probe);
    // Longer than one window of the file.
    const long = "x".repeat(900);
    const lines = Array.from({ length: 2400 }, (_, at) => line(`${at + 1}`, long));
    await probe.create(lines, { maxLines: 3000 });
    const view = await probe.until("failed");
    expect(view.errors).toMatchObject([{ code }]);
    expect(view.tally.completed).toBe(probe.names("output").length);
    expect(view.tally.completed).toBeGreaterThan(0);
    expect(probe.names("output").length + probe.names("error").length).toBe(2400);
    expect(probe.control.files.get("error")).toContain('"batch_failed"');
  },
);

test("a batch whose alarm was lost goes on when anybody looks at it", async () => {
  const probe = new BatchProbe();
  await sixLines(probe, "ask", "stopsAt");
  await abortAllDurableObjects();
  await runInDurableObject(probe.stub, (_instance, { storage }) => storage.deleteAlarm());
  await abortAllDurableObjects();
  await expectOnce(probe);
});

test("a batch whose lines were under way when it was killed goes on as soon as anybody looks at it", async () => {
  const probe = new BatchProbe();
  await sixLines(probe, "ask", "stopsAt");
  await probe.kill();
  await expectOnce(probe);
});

test("made twice it is one batch; another owner's message finds none", async () => {
  const probe = new BatchProbe();
  await probe.create([line("a")]);
  await probe.until("completed");
  expect(await probe.create([line("a")])).toMatchObject({ result: "ok", batch: { status: "completed" } });
  expect(probe.control.asked).toEqual(["1/0"]);
  const other = { ...probe.message, owner: { ...probe.owner, user: "bob" } };
  for (const answer of [
    await probe.stub.describe(other),
    await probe.stub.cancel(other),
    await probe.stub.delete(other),
  ])
    expect(answer).toEqual({ result: "unknown" });
  expect(await probe.stub.describe({ ...probe.message, v: 9 as never })).toMatchObject({
    result: "version-unsupported",
  });
});

test("a batch whose answers take all the room that its object has ends as failed: what was answered lies in its file, and the rest is told", async () => {
  const probe = new BatchProbe();
  const body = JSON.stringify({ said: "x".repeat(100_000) });
  probe.control.answers = ({ number }) => ({
    kind: "answered",
    isKept: true,
    answered: { statusCode: 200, requestId: `r-${number}`, body },
  });
  const lines = Array.from({ length: 60 }, (_, at) => line(`${at + 1}`));
  await probe.create(lines, { maxStoredBytes: 2_000_000 });
  const view = await probe.until("failed");
  expect(view.errors).toMatchObject([{ code: "output_too_large" }]);
  expect(probe.names("output").length).toBeGreaterThan(10);
  expect(probe.names("output").length + probe.names("error").length).toBe(60);
  expect(probe.control.files.get("error")).toContain('"batch_failed"');
});

test("a batch that expires while its file can't be read has no line, and tells of none", async () => {
  const probe = new BatchProbe();
  probe.control.stopsAt = "model";
  await probe.create([line("a"), line("b")]);
  await eventually(() => expect(probe.control.hasArrived).toBe(true));
  await probe.kill();
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE batch SET life = json_set(life, '$.createdMs', 1)");
  });
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.until("expired")).toMatchObject({ total: 0, errorFileId: null });
});

test("a batch for which its tenant has no room fails whole, before anything runs, and takes none", async () => {
  const probe = new BatchProbe();
  probe.control.room = 1;
  await probe.create([line("a"), line("b")]);
  const view = await probe.until("failed");
  expect(view.errors).toMatchObject([{ code: "too_many_queued_requests", line: null }]);
  expect(probe.control.asked).toEqual([]);
  await eventually(() => expect(probe.control.released).toBeGreaterThan(0));
});
