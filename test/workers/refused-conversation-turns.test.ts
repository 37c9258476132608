/** Turns that are refused, or say nothing: what stays of them in their conversation, and what of it is paid. */
import { expect, test, vi } from "vitest";
import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import { itemsOf, say } from "./named-turn.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  talks: { default_system_prompt: "Be kind.", requests: { max_body_bytes: 33_554_432 } },
});

test("a conversation that is gone, or another's, is refused by the field that names it, alike", async () => {
  const [ann, bob] = await Promise.all([bearer("talks", "names"), bearer("talks", "names-not")]);
  const made = await post("/v1/conversations", ann, {});
  const { id } = await made.json<{ id: string }>();
  const answers = await Promise.all(
    [id, `${id.slice(0, -1)}x`].map(async (name) => {
      const response = await post("/v1/chat/completions", bob, say("hi", name));
      return { status: response.status, body: await response.json() };
    }),
  );
  expect(answers[0]).toMatchObject({ status: 404, body: { error: { param: "conversation_id" } } });
  expect(answers[0]).toEqual(answers[1]);
  await settled();
});

test("a refused turn leaves no trace: no item, no charge", async () => {
  const authorization = await bearer("talks", "eve");
  const response = await post(
    "/v1/chat/completions",
    authorization,
    say("hi", "refused", { model: "no-such-model" }),
  );
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "model_not_found" } });
  expect((await itemsOf(authorization, "refused")).status).toBe(404);
  await settled();
});

test("while its conversation is out of reach a turn is 503 with Retry-After and no engine is asked; plain chat goes on", async () => {
  const authorization = await bearer("talks", "uma");
  const first = await post("/v1/chat/completions", authorization, say("My name is Uma.", "unreachable"));
  expect(first.status).toBe(200);
  await settled();
  engine.asked.length = 0;
  const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const history = vi
    .spyOn(Conversation.prototype, "history")
    .mockRejectedValue(new Error("the object can't be reached"));
  for (const stream of [true, false]) {
    const refused = await post(
      "/v1/chat/completions",
      authorization,
      say("Who am I?", "unreachable", { stream }),
    );
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ error: { message: expect.any(String), param: null } });
  }
  expect(history).toHaveBeenCalledTimes(2);
  expect(engine.asked).toHaveLength(0);
  const plain = await post("/v1/chat/completions", authorization, {
    model: "auto",
    messages: [{ role: "user", content: "Hi" }],
  });
  expect(plain.status).toBe(200);
  history.mockRestore();
  faults.mockRestore();
  const again = await post("/v1/chat/completions", authorization, say("Who am I?", "unreachable"));
  expect(again.status).toBe(200);
  await settled();
  await eventually(async () =>
    expect((await itemsOf(authorization, "unreachable")).texts).toEqual([
      "user: My name is Uma.",
      "assistant: Hello there",
      "user: Who am I?",
      "assistant: Hello there",
    ]),
  );
});

test("a message that a conversation can't keep is refused before anything is asked, and not lost after it was paid", async () => {
  const authorization = await bearer("talks", "large");
  // Each of them a message may hold, and both together a message to an object may not.
  const messages = Array.from({ length: 2 }, () => ({ role: "user", content: "x".repeat(6_100_000) }));
  const refused = await post("/v1/chat/completions", authorization, say("", "large", { messages }));
  expect(refused.status).toBe(413);
  const response = { model: "auto", conversation: "large", input: messages };
  expect((await post("/v1/responses", authorization, response)).status).toBe(413);
  expect(engine.asked).toHaveLength(0);
  // One alone is kept, and what no conversation is to keep may be as long as any.
  for (const body of [
    say("", "large", { messages: messages.slice(1) }),
    { ...say("", "", { messages }), conversation_id: undefined },
  ])
    expect((await post("/v1/chat/completions", authorization, body)).status).not.toBe(413);
  await settled();
});

test("a question over which the model only thought, until it was cut, stays in the conversation; one without a word leaves no trace", async () => {
  const authorization = await bearer("talks", "thinker");
  engine.script = { deltas: [], finish: "stop" };
  await (await post("/v1/chat/completions", authorization, say("Nothing?", "thinks"))).text();
  await settled();
  expect((await itemsOf(authorization, "thinks")).status).toBe(404);
  engine.script = {
    deltas: [{ reasoning_content: "Hm, " }, { reasoning_content: "well" }],
    finish: "length",
  };
  const thought = await post("/v1/chat/completions", authorization, say("Why?", "thinks"));
  expect(JSON.stringify(await thought.json())).toContain("Hm, well");
  engine.script = null;
  await eventually(async () =>
    expect((await itemsOf(authorization, "thinks")).texts).toEqual(["user: Why?", "assistant: "]),
  );
  await (await post("/v1/chat/completions", authorization, say("And now?", "thinks"))).text();
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user", content: "Why?" },
    { role: "assistant", content: "" },
    { role: "user", content: "And now?" },
  ]);
  await settled();
});

test("whoever waits for a whole answer whose conversation is deleted meanwhile is told so, and is not told to send it again", async () => {
  const authorization = await bearer("talks", "deletes");
  await post("/v1/chat/completions", authorization, say("hi", "going"));
  await settled();
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  const waiting = post("/v1/chat/completions", authorization, say("and then?", "going"));
  await eventually(() => expect(engine.asked).toHaveLength(2));
  const gone = await send("/v1/conversations/going", { method: "DELETE", headers: { authorization } });
  expect(gone.status).toBe(200);
  gate.resolve();
  const answer = await waiting;
  expect(answer.status).toBe(409);
  expect(answer.headers.get("x-should-retry")).toBe("false");
  expect(await answer.json()).toMatchObject({ error: { code: "conflict", param: null } });
  await settled();
  expect((await itemsOf(authorization, "going")).status).toBe(404);
});
