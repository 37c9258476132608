/** What goes with a conversation that is deleted, or with an erasure of its user, of turns that left nothing in it? */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { itemsOf, say } from "./named-turn.ts";
import { create, get } from "./responses-fixture.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ erasing: {}, replacing: { conversations: { turns: "replace" } } });

async function forget(authorization: string, conversation: string): Promise<number> {
  const path = `/v1/conversations/${conversation}`;
  return (await send(path, { method: "DELETE", headers: { authorization } })).status;
}

/** A conversation with one answer. */
async function talk(authorization: string, conversation: string): Promise<void> {
  await (await post("/v1/chat/completions", authorization, say("Hi", conversation))).text();
  await eventually(async () => expect((await itemsOf(authorization, conversation)).texts).toHaveLength(2));
}

async function expectGone(authorization: string, id: string): Promise<void> {
  await eventually(async () => expect(await get(authorization, id)).toMatchObject({ status: 404 }));
}

async function expectAsked(authorization: string, id: string): Promise<void> {
  await settled();
  expect(JSON.stringify((await get(authorization, `${id}/input_items`)).body)).toContain("My secret");
}

/** Ways in which a response leaves nothing in its conversation, and is kept with what it was asked. */
const unanswered = {
  async refused(authorization: string, conversation: string | undefined): Promise<string> {
    const asked = { conversation, background: true, model: "none-such", input: "My secret" };
    const { id } = await create(authorization, asked);
    await eventually(async () =>
      expect(await get(authorization, id)).toMatchObject({ body: { status: "failed" } }),
    );
    return id;
  },
  async cancelled(authorization: string, conversation: string | undefined): Promise<string> {
    const gate = Promise.withResolvers<void>();
    engine.pause = { at: 0, until: gate.promise };
    const { id } = await create(authorization, { conversation, background: true, input: "My secret" });
    await eventually(() => expect(engine.asked).toHaveLength(1));
    const path = `/v1/responses/${id}/cancel`;
    expect((await send(path, { method: "POST", headers: { authorization } })).status).toBe(200);
    engine.pause = null;
    gate.resolve();
    return id;
  },
};
const ways = ["refused", "cancelled"] as const;

test("the question of a turn that failed goes with its conversation, which has no item of it", async () => {
  const authorization = await bearer("erasing", "ann");
  await talk(authorization, "talk");
  const id = await unanswered.refused(authorization, "talk");
  await expectAsked(authorization, id);
  expect((await itemsOf(authorization, "talk")).texts).toHaveLength(2);
  expect(await forget(authorization, "talk")).toBe(200);
  await expectGone(authorization, id);
  await settled();
});

test.for(ways)(
  "the question of a turn that was %s before anything was said goes with the conversation that is made by its name later",
  async (way) => {
    const authorization = await bearer("erasing", `later-${way}`);
    const id = await unanswered[way](authorization, "talk");
    await expectAsked(authorization, id);
    expect((await itemsOf(authorization, "talk")).status).toBe(404);
    await talk(authorization, "talk");
    await expectAsked(authorization, id);
    expect(await forget(authorization, "talk")).toBe(200);
    await expectGone(authorization, id);
    await settled();
  },
);

test.for(ways)(
  "the question of a turn that was %s goes with the deletion of a conversation that none ever made, and there is nothing to delete then",
  async (way) => {
    const authorization = await bearer("erasing", `never-${way}`);
    const id = await unanswered[way](authorization, "talk");
    await expectAsked(authorization, id);
    // The turn tells the conversation behind its end.
    await eventually(async () => expect(await forget(authorization, "talk")).toBe(200));
    await expectGone(authorization, id);
    await settled();
    expect(await forget(authorization, "talk")).toBe(404);
  },
);

test("turns that are replaced before a word, one by the next, go with the conversation that the last one makes", async () => {
  const authorization = await bearer("replacing", "ann");
  const asked = { conversation: "talk", background: true, input: "My secret" };
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const replaced: string[] = [];
  for (let turn = 1; turn <= 3; turn += 1) {
    replaced.push((await create(authorization, asked)).id);
    await eventually(() => expect(engine.asked).toHaveLength(turn));
  }
  engine.pause = null;
  await talk(authorization, "talk");
  gate.resolve();
  for (const id of replaced)
    expect(await get(authorization, id)).toMatchObject({ body: { status: "cancelled" } });
  await settled();
  expect(await forget(authorization, "talk")).toBe(200);
  for (const id of replaced) await expectGone(authorization, id);
  await settled();
});

test("a response that waits in the background, in a conversation that is deleted, goes with it", async () => {
  const authorization = await bearer("erasing", "waits");
  await talk(authorization, "talk");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  const first = post("/v1/chat/completions", authorization, say("first", "talk"));
  await eventually(() => expect(engine.asked).toHaveLength(2));
  const waiting = { conversation: "talk", background: true, input: "My secret" };
  const { id } = await create(authorization, waiting);
  await expectAsked(authorization, id);
  expect(await forget(authorization, "talk")).toBe(200);
  gate.resolve();
  await (await first).text();
  await expectGone(authorization, id);
  await settled();
});

test.for(
  ways.flatMap((way) => [
    { way, where: "in a conversation that none ever made", conversation: "talk" },
    { way, where: "outside of one", conversation: undefined },
  ]),
)(
  "an erasure of its user takes the question of a turn that was $way $where",
  async ({ way, conversation }) => {
    const user = `${way}-${conversation ?? "alone"}`;
    const authorization = await bearer("erasing", user);
    const id = await unanswered[way](authorization, conversation);
    await expectAsked(authorization, id);
    const admin = { authorization: await bearer("erasing", "root", { scope: "tenant:admin" }) };
    const erased = await send(`/admin/history?user=${user}`, { method: "DELETE", headers: admin });
    expect(erased.status).toBe(200);
    await expectGone(authorization, id);
    await settled();
  },
);
