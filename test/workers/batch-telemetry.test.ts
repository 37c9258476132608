/** What operators see of batches: how many lines wait, and what each batch came to. */
import { expect, test, vi } from "vitest";
import { batchesBy, batchLinesBy, chatLine, startBatch, untilStatus } from "./batch-fixture.ts";
import { eventually } from "./eventually.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ "seen-batches": { limits: limitless } });

test("lines are counted once as queued and once as ended, and the log tells what a batch came to", async () => {
  const told = toldOfBatches();
  const caller = await callerOf("seen-batches", "ann");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const lines = ["a", "b", "c", "d", "e", "f"].map((name) => chatLine(name, "Count", { max_tokens: 5000 }));
  const id = await startBatch(caller, [...lines, chatLine("wrong", "Hi", { temperature: 9 })]);
  await expect.poll(() => engine.asked.length).toBe(4);
  await eventually(async () => {
    const waiting = await batchLinesBy();
    expect(waiting("queued")).toBe(7);
    expect(waiting("completed") + waiting("failed") + waiting("dropped")).toBe(0);
  });
  await caller.ask("POST", `/v1/batches/${id}/cancel`);
  gate.resolve();
  await untilStatus(caller, id, "cancelled");
  await eventually(async () => {
    const ended = await batchLinesBy();
    expect([ended("completed"), ended("failed"), ended("dropped")]).toEqual([4, 0, 3]);
  });
  await eventually(() =>
    expect(told).toMatchObject([
      {
        event: "batch",
        tenant: "seen-batches",
        org: "seen-batches",
        endpoint: "/v1/chat/completions",
        model: "auto",
        status: "cancelled",
        total: 7,
        completed: 4,
        failed: 0,
        inputTokens: 40,
        outputTokens: 8,
      },
    ]),
  );
  expect(id).toContain(told[0]?.["batch"]);
});

test("a batch whose file is refused has ended as well: it is counted, and the log says why", async () => {
  const told = toldOfBatches();
  const caller = await callerOf("seen-batches", "bob");
  const id = await startBatch(caller, ["no request"]);
  await untilStatus(caller, id, "failed");
  await eventually(async () => expect((await batchesBy())("failed")).toBe(1));
  await eventually(() =>
    expect(told).toMatchObject([{ status: "failed", total: 0, errors: ["invalid_json_line"] }]),
  );
});

/** Lines of the log, as they come. */
function toldOfBatches(): readonly Record<string, unknown>[] {
  const told: Record<string, unknown>[] = [];
  vi.spyOn(console, "log").mockImplementation((text: unknown) => {
    for (const line of String(text).split("\n"))
      if (line.startsWith('{"event":"batch"')) told.push(JSON.parse(line) as Record<string, unknown>);
  });
  return told;
}
