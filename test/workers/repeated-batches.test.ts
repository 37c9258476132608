/** A batch that is asked for again with the same `Idempotency-Key`. */
import { expect, test } from "vitest";
import { chatLine, untilStatus } from "./batch-fixture.ts";
import { bearer } from "./edge-under-test.ts";
import { type Answer, type Caller, callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ batches: { limits: limitless } });

async function askWithKey(caller: Caller, input: string, key: string, more: object): Promise<Answer> {
  const response = await caller.send("/v1/batches", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({
      input_file_id: input,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
      ...more,
    }),
  });
  return { status: response.status, body: await response.json() };
}

test("a batch that is asked for again with its Idempotency-Key is the same, as it is now; with another body it is refused", async () => {
  const [lou, mia] = [await callerOf("batches", "lou"), await callerOf("batches", "mia")];
  const input = await lou.upload("in.jsonl", chatLine("a", "Hi"), { purpose: "batch" });
  const asked = (key: string, more: object = {}, caller = lou) => askWithKey(caller, input, key, more);
  const [first, beside] = await Promise.all([asked("night-1"), asked("night-1")]);
  expect(first).toMatchObject({ status: 200, body: { object: "batch" } });
  expect(beside.body.id).toBe(first.body.id);
  await untilStatus(lou, first.body.id, "completed");
  expect(await asked("night-1")).toMatchObject({
    status: 200,
    body: { id: first.body.id, status: "completed", request_counts: { total: 1, completed: 1 } },
  });
  expect(await asked("night-1", { metadata: { night: "2" } })).toMatchObject({
    status: 422,
    body: { error: { code: "idempotency_key_reused" } },
  });
  expect((await asked("two words")).status).toBe(400);
  expect(engine.asked).toHaveLength(1);
  const other = await asked("night-2");
  expect(other.body.id).not.toBe(first.body.id);
  await untilStatus(lou, other.body.id, "completed");
  const ids = (await lou.ask("GET", "/v1/batches")).body["data"] as { id: string }[];
  expect(ids.map(({ id }) => id)).toEqual([other.body.id, first.body.id]);
  // A key is its owner's alone: another's finds no file here, and no batch.
  expect((await asked("night-1", {}, mia)).status).toBe(404);
});

test("a batch that is asked for again with its Idempotency-Key is the same though its file is gone, and costs a request", async () => {
  const nia = await callerOf("batches", "nia");
  const input = await nia.upload("in.jsonl", chatLine("a", "Hi"), { purpose: "batch" });
  const asked = (key: string, more: object = {}) => askWithKey(nia, input, key, more);
  const { id } = (await asked("night")).body as { id: string };
  await untilStatus(nia, id, "completed");
  await nia.ask("DELETE", `/v1/files/${input}`);
  expect(await asked("night")).toMatchObject({ status: 200, body: { id, status: "completed" } });
  expect((await asked("night", { metadata: { other: "1" } })).status).toBe(422);
  expect(await asked("other-night")).toMatchObject({
    status: 404,
    body: { error: { param: "input_file_id" } },
  });
  // A file, asked for twice, and one line.
  await expectBill(await bearer("batches", "nia"), 4, 12);
});
