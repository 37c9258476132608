/** How many batches, and how many requests in them, a user and a tenant may have at once. */
import { expect, test } from "vitest";
import { askForBatch, chatLine, startBatch, untilStatus } from "./batch-fixture.ts";
import { eventually } from "./eventually.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  "few-batches": { limits: limitless, batches: { max_open: 1, max_lines: 2 } },
  "shared-batches": { limits: limitless, batches: { max_open_total: 2, max_lines_total: 3 } },
});

test("a user has so many batches at once, and a batch so many lines, as the tenant allows", async () => {
  const kim = await callerOf("few-batches", "kim");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const id = await startBatch(kim, [chatLine("a", "Hi", { max_tokens: 5000 })]);
  expect(await askForBatch(kim, [chatLine("a", "Hi")])).toMatchObject({ status: 409 });
  gate.resolve();
  await untilStatus(kim, id, "completed");
  await expect.poll(async () => (await askForBatch(kim, [chatLine("a", "Hi")])).status).toBe(200);
  const [{ id: next }] = (await kim.ask("GET", "/v1/batches?limit=1")).body["data"] as [{ id: string }];
  await untilStatus(kim, next, "completed");
  await expect
    .poll(
      async () =>
        (
          await askForBatch(
            kim,
            ["a", "b", "c"].map((name) => chatLine(name, "Hi")),
          )
        ).status,
    )
    .toBe(200);
  const [{ id: long }] = (await kim.ask("GET", "/v1/batches?limit=1")).body["data"] as [{ id: string }];
  const failed = await untilStatus(kim, long, "failed");
  expect(failed.errors?.data).toMatchObject([{ line: 3, code: "too_many_requests" }]);
});

test("all users of a tenant together have so many batches, and requests in them, as it allows; what has ended makes room", async () => {
  const [oda, pia, quin] = [
    await callerOf("shared-batches", "oda"),
    await callerOf("shared-batches", "pia"),
    await callerOf("shared-batches", "quin"),
  ];
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const two = [chatLine("a", "Hi", { max_tokens: 5000 }), chatLine("b", "Hi", { max_tokens: 5000 })];
  const first = await startBatch(oda, two);
  await untilStatus(oda, first, "in_progress");
  const long = await untilStatus(pia, await startBatch(pia, two), "failed");
  expect(long.errors?.data).toMatchObject([{ code: "too_many_queued_requests", line: null }]);
  // The one that failed makes room, as soon as all have heard of it.
  const second = await eventually(async () => {
    const made = await askForBatch(pia, two.slice(0, 1));
    expect(made.status).toBe(200);
    return made.body.id;
  });
  expect(await askForBatch(quin, two.slice(0, 1))).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining("all users") as string } },
  });
  expect((await quin.ask("GET", "/v1/batches")).body["data"]).toEqual([]);
  gate.resolve();
  await untilStatus(oda, first, "completed");
  await untilStatus(pia, second, "completed");
  const third = await eventually(async () => {
    const made = await askForBatch(quin, two);
    expect(made.status).toBe(200);
    return made.body.id;
  });
  await untilStatus(quin, third, "completed");
});
