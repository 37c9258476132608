/** What is long in a conversation, and in what a response goes on from, as a client meets it: whole, or not at all. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { files } from "./content-fixture.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { changeStored } from "./generation-probe.ts";
import { itemsOf, say } from "./named-turn.ts";
import { create } from "./responses-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ large: { limits: limitless } });
const long = "tide ".repeat(22_000);

/** No others of this file's tests lie there. */
async function keys(kind: "conversation" | "turn"): Promise<string[]> {
  const { objects } = await files.list({ prefix: "content/" });
  return objects.map(({ key }) => key).filter((key) => key.includes(`/${kind}/`));
}

beforeEach(async () => {
  const { objects } = await files.list({ prefix: "content/" });
  await files.delete(objects.map(({ key }) => key));
});

async function refusesWithoutAsking(ask: () => Promise<Response>): Promise<void> {
  const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
  engine.asked.length = 0;
  const refused = await ask();
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ error: { code: "service_unavailable" } });
  expect(engine.asked).toHaveLength(0);
  faults.mockRestore();
}

test("a long message of a conversation lies in the bucket and is read by the next turn; without it a turn is 503 and no engine is asked", async () => {
  const authorization = await bearer("large", "ann");
  expect((await post("/v1/chat/completions", authorization, say(long, "tides"))).status).toBe(200);
  await eventually(async () => expect(await keys("conversation")).toHaveLength(1));
  expect((await post("/v1/chat/completions", authorization, say("And?", "tides"))).status).toBe(200);
  expect(JSON.stringify(engine.asked.at(-1))).toContain(long.trim());
  const { texts } = await itemsOf(authorization, "tides");
  expect(texts[0]).toBe(`user: ${long}`);
  await settled();
  const [key = ""] = await keys("conversation");
  await files.delete(key);
  await refusesWithoutAsking(() => post("/v1/chat/completions", authorization, say("And now?", "tides")));
  await refusesWithoutAsking(() => send("/v1/conversations/tides/items", { headers: { authorization } }));
  const plain = { model: "auto", messages: [{ role: "user", content: "Hi" }] };
  expect((await post("/v1/chat/completions", authorization, plain)).status).toBe(200);
  const deleted = await send("/v1/conversations/tides", { method: "DELETE", headers: { authorization } });
  expect(deleted.status).toBe(200);
  await settled();
});

test("an item of nearly two megabytes is taken, shown and erased", async () => {
  const authorization = await bearer("large", "bob");
  const made = await post("/v1/conversations", authorization, {});
  const { id } = await made.json<{ id: string }>();
  const content = "€".repeat(640_000);
  const item = { type: "message", role: "user", content };
  const added = await post(`/v1/conversations/${id}/items`, authorization, { items: [item] });
  expect(added.status).toBe(200);
  await eventually(async () => expect(await keys("conversation")).toHaveLength(1));
  expect((await itemsOf(authorization, id)).texts).toEqual([`user: ${content}`]);
  await send(`/v1/conversations/${id}`, { method: "DELETE", headers: { authorization } });
  await settled();
  await eventually(async () => expect(await keys("conversation")).toEqual([]));
});

test("a response goes on from a long one whose journal is gone; where its bytes are missing it is 503 and no engine is asked", async () => {
  const authorization = await bearer("large", "cid");
  const first = await create(authorization, { input: long });
  await settled();
  const { objectName = "" } = objectOfId(first.id) ?? {};
  const object = env.GENERATION.getByName(objectName);
  await eventually(async () => {
    await changeStored(object, (stored) => {
      expect(stored.outbox).toEqual([]);
      stored.endedMs = (stored.endedMs ?? 0) - 600_000;
    });
  });
  await runDurableObjectAlarm(object);
  expect(await keys("turn")).toHaveLength(1);
  engine.asked.length = 0;
  await create(authorization, { input: "And?", previous_response_id: first.id });
  expect(JSON.stringify(engine.asked.at(-1))).toContain(long.trim());
  const listed = await send(`/v1/responses/${first.id}/input_items`, { headers: { authorization } });
  expect(await listed.json()).toMatchObject({ data: [{ content: [{ text: long }] }] });
  await settled();
  await files.delete(await keys("turn"));
  // Its object's memory has it still.
  await changeStored(object, () => undefined);
  const again = { model: "auto", input: "And now?", previous_response_id: first.id };
  await refusesWithoutAsking(() => post("/v1/responses", authorization, again));
  await refusesWithoutAsking(() => send(`/v1/responses/${first.id}`, { headers: { authorization } }));
  const deleted = await send(`/v1/responses/${first.id}`, { method: "DELETE", headers: { authorization } });
  expect(deleted.status).toBe(200);
  await settled();
});
