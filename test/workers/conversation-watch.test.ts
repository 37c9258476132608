import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import type { GenerationMethods } from "../../durable-objects/generation/generation.ts";
import type { ReadOutcome } from "../../src/shared/contracts/generation.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { parse, say, text, watch } from "./conversation-watcher.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  watches: {},
});

beforeEach(() => {
  engine.tokens = ["One", " two", " three", " four"];
});

test("a second device sees the live turn from its beginning with what was asked, its end, and the next one", async () => {
  const authorization = await bearer("watches", "ann");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 2, until: gate.promise };
  const first = await post("/v1/chat/completions", authorization, say("Count"));
  engine.pause = null;
  const watcher = await watch(authorization);
  await watcher.until(({ data }) => data.includes(" two"));
  const [started] = watcher.events;
  const responseId = first.headers.get("x-edgewise-response-id");
  expect(started?.name).toBe("turn.started");
  expect(JSON.parse(started?.data ?? "")).toMatchObject({
    response_id: responseId,
    input: [{ type: "message", role: "user", content: [{ text: "Count" }] }],
  });
  gate.resolve();
  const own = await first.text();
  await watcher.until(({ name }) => name === "turn.ended");
  expect(text(watcher.events)).toBe("One two three four");
  const numbered = watcher.events
    .filter(({ name }) => name === "")
    .map(({ id, data }) => `id: ${id}\ndata: ${data}`);
  expect(numbered.join("\n\n").replaceAll(`id: ${responseId}/`, "id: ")).toBe(own.trim());
  // It is saved by then: the end is told when the conversation has it.
  const items = await send("/v1/conversations/talk/items", { headers: { authorization } });
  expect(await items.json()).toMatchObject({ data: [{}, {}] });
  await (await post("/v1/chat/completions", authorization, say("Again"))).text();
  await watcher.until(({ name }) => name === "turn.ended");
  expect(watcher.events.filter(({ name }) => name === "turn.started")).toHaveLength(2);
  await watcher.leave();
  await settled();
});

test("whoever comes back goes on behind the last event, and loses none when the turn has ended since", async () => {
  const authorization = await bearer("watches", "bob");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 2, until: gate.promise };
  const turn = await post("/v1/chat/completions", authorization, say("Count"));
  engine.pause = null;
  const watcher = await watch(authorization);
  await watcher.until(({ data }) => data.includes(" two"));
  await watcher.leave();
  const last = watcher.events.at(-1)?.id ?? "";
  // While it is being written.
  const back = await watch(authorization, last);
  gate.resolve();
  await turn.text();
  await back.until(({ name }) => name === "turn.ended");
  expect(back.events.some(({ name }) => name === "turn.started")).toBe(false);
  expect(text([...watcher.events, ...back.events])).toBe("One two three four");
  await back.leave();
  // And after its end.
  const late = await watch(authorization, last);
  await late.until(({ name }) => name === "turn.ended");
  expect(late.events.at(-2)?.data).toBe("[DONE]");
  expect(text([...watcher.events, ...late.events])).toBe("One two three four");
  await late.leave();
  await settled();
});

test("a deletion is the last event", async () => {
  const authorization = await bearer("watches", "cem");
  await (await post("/v1/chat/completions", authorization, say("One"))).text();
  await eventually(async () =>
    expect((await send("/v1/conversations/talk", { headers: { authorization } })).status).toBe(200),
  );
  const watcher = await watch(authorization);
  await send("/v1/conversations/talk", { method: "DELETE", headers: { authorization } });
  await watcher.until(({ name }) => name === "conversation.deleted");
  await expect(watcher.until(() => true)).rejects.toThrow("the stream ended");
  await settled();
});

test("others', unknown ones and places that are none", async () => {
  const authorization = await bearer("watches", "dov");
  await (await post("/v1/chat/completions", authorization, say("One"))).text();
  const stranger = { authorization: await bearer("watches", "eve") };
  for (const part of ["watch", "export", "branches"]) {
    const response = await send(`/v1/conversations/talk/${part}`, { headers: stranger });
    expect([part, response.status]).toEqual([part, 404]);
    await response.text();
  }
  const wrong = await send("/v1/conversations/talk/watch", {
    headers: { authorization, "last-event-id": "7" },
  });
  expect(wrong.status).toBe(400);
  await wrong.text();
  await settled();
});

test("an export holds every item of every branch, whatever its length", async () => {
  const authorization = await bearer("watches", "fay");
  const items = (from: number) =>
    Array.from({ length: 20 }, (_, at) => ({
      role: at % 2 ? "assistant" : "user",
      content: `item ${from + at}`,
    }));
  const made = (await (await post("/v1/conversations", authorization, { items: items(0) })).json()) as {
    id: string;
  };
  const path = `/v1/conversations/${made.id}`;
  for (let at = 20; at < 420; at += 20) await post(`${path}/items`, authorization, { items: items(at) });
  const listed = async (query: string) =>
    (await (await send(`${path}/items?${query}`, { headers: { authorization } })).json()) as {
      data: { id: string; content: { text: string }[] }[];
    };
  const behind = (await listed("order=asc&limit=2")).data[1]?.id;
  await (
    await post("/v1/chat/completions", authorization, {
      ...say("other"),
      conversation_id: made.id,
      parent_item_id: behind,
    })
  ).text();
  await eventually(async () => expect((await listed("")).data).toHaveLength(4));
  const response = await send(`${path}/export`, { headers: { authorization } });
  expect(response.headers.get("content-disposition")).toContain("attachment");
  const all = (await response.json()) as {
    object: string;
    conversation: object;
    branches: object[];
    items: { id: string; branch: string; position: number }[];
  };
  expect(all.object).toBe("conversation.export");
  expect(all.conversation).toMatchObject({ id: made.id, title: "item 0" });
  expect(all.branches).toMatchObject([
    { id: "br_0", parent_branch: null, active: false },
    { id: "br_1", parent_branch: "br_0", parent_item_id: behind, active: true },
  ]);
  expect(all.items).toHaveLength(422);
  expect(new Set(all.items.map(({ id }) => id)).size).toBe(422);
  expect(all.items.slice(-2)).toMatchObject([
    { branch: "br_1", position: 3 },
    { branch: "br_1", position: 4 },
  ]);
  await settled();
});

/** The next reading of that turn's journal goes so; those that follow go as ever. */
async function nextReading(response: Response, read: () => ReadOutcome): Promise<void> {
  const { objectName } = objectOfId(response.headers.get("x-edgewise-response-id") ?? "") ?? {};
  await runInDurableObject(env.GENERATION.getByName(objectName ?? ""), (object) => {
    vi.spyOn(Object.getPrototypeOf(object) as GenerationMethods, "read").mockImplementationOnce(read);
  });
}

test.for([
  [
    "breaks off in mid-event",
    (): ReadOutcome => {
      const pieces = ['id: 0\ndata: {"half'];
      const stream = new ReadableStream({
        type: "bytes",
        pull: (controller) => {
          const piece = pieces.shift();
          if (piece === undefined) controller.error(new Error("its object was lost"));
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      });
      return { result: "stream", headers: {}, stream };
    },
  ],
  [
    "can't be asked for",
    (): ReadOutcome => {
      throw new Error("its object was lost");
    },
  ],
] as const)("a journal that %s is read again, and every event is told whole", async ([how, read]) => {
  const authorization = await bearer("watches", how.replaceAll(/\W/g, "-"));
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 2, until: gate.promise };
  const first = await post("/v1/chat/completions", authorization, say("Count"));
  engine.pause = null;
  await nextReading(first, read);
  const watcher = await watch(authorization);
  gate.resolve();
  const told = await first.text();
  await watcher.until(({ name }) => name === "turn.ended");
  const events = watcher.events.filter(({ name }) => name === "");
  expect(events.map(({ data }) => data)).toEqual(
    told
      .split("\n\n")
      .filter(Boolean)
      .map((block) => parse(block).data),
  );
  expect(text(events)).toBe("One two three four");
  await watcher.leave();
  await settled();
});

test("a turn that begins and ends between two questions of a watch is told whole; what no turn tells is told as a change", async () => {
  const authorization = await bearer("watches", "gil");
  await (await post("/v1/chat/completions", authorization, say("One"))).text();
  await settled();
  // Each question but the first waits until a turn has come and gone.
  const gone = Promise.withResolvers<void>();
  const ask = Reflect.get(Conversation.prototype, "watch");
  const asking = vi.spyOn(Conversation.prototype, "watch").mockImplementation(async function (
    this: Conversation,
    message,
  ) {
    if (message.seen != null) await gone.promise;
    return ask.call(this, message);
  });
  const watcher = await watch(authorization);
  const told = watcher.until(({ name }) => name === "turn.ended");
  await eventually(() => expect(asking).toHaveBeenCalledTimes(2));
  await (await post("/v1/chat/completions", authorization, say("Two"))).text();
  await eventually(async () => {
    const items = await send("/v1/conversations/talk/items", { headers: { authorization } });
    expect(await items.json()).toMatchObject({ data: [{}, {}, {}, {}] });
  });
  gone.resolve();
  await told;
  expect(watcher.events[0]?.name).toBe("turn.started");
  expect(watcher.events[0]?.data).toContain("Two");
  expect(text(watcher.events)).toBe("One two three four");
  expect(watcher.events.filter(({ name }) => name === "turn.ended")).toHaveLength(1);
  await post("/v1/conversations/talk/items", authorization, { items: [{ role: "user", content: "Three" }] });
  await watcher.until(({ name }) => name === "conversation.changed");
  await watcher.leave();
  asking.mockRestore();
  await settled();
});
