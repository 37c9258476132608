import { beforeEach, expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const turns = (order: string) => ({ conversations: { turns: order, max_waiting: 1 } });
const engine = scriptedEdge({
  "turns-queue": turns("queue"),
  "turns-reject": turns("reject"),
  "turns-replace": turns("replace"),
});

beforeEach(() => {
  engine.tokens = ["One", " two", " three", " four"];
});

const say = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  conversation_id: "talk",
  messages: [{ role: "user", content }],
  stream: true,
  ...more,
});

/** A turn that stands in mid-answer until `go` is called. */
async function paused(authorization: string) {
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 2, until: gate.promise };
  const response = await post("/v1/chat/completions", authorization, say("first"));
  expect(response.status).toBe(200);
  engine.pause = null;
  return { response, go: gate.resolve };
}

async function questions(authorization: string): Promise<string[]> {
  const response = await send("/v1/conversations/talk/items?order=asc", { headers: { authorization } });
  const { data = [] } = (await response.json()) as { data?: { role: string; content: { text: string }[] }[] };
  return data.filter(({ role }) => role === "user").map(({ content }) => content[0]?.text ?? "");
}

test("queue: the second turn waits for the first, and reads what it said", async () => {
  const authorization = await bearer("turns-queue", "ann");
  const first = await paused(authorization);
  // Which of the two is there first is nobody's to say; the other one finds the only place taken.
  const both = ["second", "third"].map(async (content) => {
    const response = await post("/v1/chat/completions", authorization, say(content));
    return { content, response };
  });
  const refused = await Promise.race(both);
  expect(refused.response.status).toBe(409);
  expect(refused.response.headers.get("x-should-retry")).toBe("false");
  expect(await refused.response.text()).toContain("wait already");
  expect(engine.asked).toHaveLength(1);
  first.go();
  expect(readStream(await first.response.text())).toMatchObject({ content: "One two three four" });
  const [waited] = (await Promise.all(both)).filter(({ content }) => content !== refused.content);
  if (waited === undefined) throw new Error("both were refused");
  expect(readStream(await waited.response.text())).toMatchObject({ finish: "stop", done: true });
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { content: "first" },
    { content: "One two three four" },
    { content: waited.content },
  ]);
  await eventually(async () => expect(await questions(authorization)).toEqual(["first", waited.content]));
  await settled();
});

test("reject: a second turn is 409, not to be retried, and costs nothing; after the end it is let in", async () => {
  const authorization = await bearer("turns-reject", "bob");
  const first = await paused(authorization);
  const second = await post("/v1/chat/completions", authorization, say("second"));
  expect(second.status).toBe(409);
  expect(second.headers.get("x-should-retry")).toBe("false");
  expect(await second.json()).toMatchObject({ error: { code: "conflict" } });
  first.go();
  await first.response.text();
  await eventually(async () => {
    const again = await post("/v1/chat/completions", authorization, say("third"));
    await again.text();
    expect(again.status).toBe(200);
  });
  await eventually(async () => expect(await questions(authorization)).toEqual(["first", "third"]));
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({ user: { used: { requests: 2 }, reserved: { tokens: 0 } } });
  });
});

test("replace: a second turn stops the first, whose words so far stand, and takes its place", async () => {
  const authorization = await bearer("turns-replace", "cem");
  const first = await paused(authorization);
  const second = await post("/v1/chat/completions", authorization, say("second"));
  expect(readStream(await first.response.text())).toEqual({ content: "One two", finish: "stop", done: true });
  first.go();
  expect(readStream(await second.text())).toMatchObject({ content: "One two three four", done: true });
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { content: "first" },
    { content: "One two" },
    { content: "second" },
  ]);
  await eventually(() => expect(engine.cancelled).toBe(1));
  await eventually(async () => expect(await questions(authorization)).toEqual(["first", "second"]));
  await settled();
});

test("a turn that is refused after it came in lets the next one in", async () => {
  const authorization = await bearer("turns-reject", "dov");
  const long = "word ".repeat(200_000);
  const refused = await post("/v1/chat/completions", authorization, say(long));
  await refused.text();
  expect(refused.status).toBe(400);
  await eventually(async () => {
    const next = await post("/v1/chat/completions", authorization, say("short"));
    await next.text();
    expect(next.status).toBe(200);
  });
  await settled();
});
