/** What goes with a conversation that is deleted, of turns that left nothing in it? */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { itemsOf, say } from "./named-turn.ts";
import { create, get } from "./responses-fixture.ts";
import { scriptedEdge } from "./scripted-edge.ts";

scriptedEdge({ erasing: {} });

test("the question of a turn that failed goes with its conversation, which has no item of it", async () => {
  const authorization = await bearer("erasing", "ann");
  await (await post("/v1/chat/completions", authorization, say("Hi", "talk"))).text();
  await eventually(async () => expect((await itemsOf(authorization, "talk")).texts).toHaveLength(2));
  const asked = { conversation: "talk", background: true, model: "none-such", input: "My secret" };
  const { id } = await create(authorization, asked);
  await eventually(async () =>
    expect(await get(authorization, id)).toMatchObject({ body: { status: "failed" } }),
  );
  expect(JSON.stringify((await get(authorization, `${id}/input_items`)).body)).toContain("My secret");
  await settled();
  expect((await itemsOf(authorization, "talk")).texts).toHaveLength(2);
  const deleted = await send("/v1/conversations/talk", { method: "DELETE", headers: { authorization } });
  expect(deleted.status).toBe(200);
  await eventually(async () => expect(await get(authorization, id)).toMatchObject({ status: 404 }));
  await settled();
});
