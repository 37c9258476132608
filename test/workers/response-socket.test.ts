import { evictDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { bearer, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { expectBill } from "./scripted-edge.ts";
import { create, sessionOf, socketEdge } from "./sockets-fixture.ts";
import { openSocket, type TestSocket } from "./test-socket.ts";

const engine = socketEdge();

const types = (socket: TestSocket) => socket.events.map((event) => event.type);
const textOf = (socket: TestSocket) => socket.events.map((event) => event.delta ?? "").join("");

test("the same events come as over HTTP, turn after turn on one socket, each charged once", async () => {
  const authorization = await bearer("sockets", "turns");
  const socket = await openSocket(authorization);
  socket.say(create);
  await socket.untilEvents("response.completed");
  expect(types(socket)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  const first = socket.events.at(-1)?.response;
  const stored = await send(`/v1/responses/${first?.id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(first);
  socket.say({ ...create, previous_response_id: first?.id, input: "And?" });
  await socket.untilEvents("response.completed", 2);
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "And?" },
  ]);
  socket.leave();
  await expectBill(authorization, 2, 24);
});

test("an object that slept between two turns answers the second one", async () => {
  const socket = await openSocket(await bearer("sockets", "sleeper"));
  socket.say(create);
  await socket.untilEvents("response.completed");
  await eventually(async () => evictDurableObject(await sessionOf("sleeper")));
  socket.say("ping");
  await socket.until(({ texts }) => texts.at(-1) === "pong");
  socket.say(create);
  await socket.untilEvents("response.completed", 2);
  expect(textOf(socket)).toBe("Hello thereHello there");
  socket.leave();
  await settled();
});

test("lanes go on side by side, each in its order, and every event names its lane", async () => {
  const socket = await openSocket(await bearer("sockets", "lanes"));
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  socket.say({ ...create, stream_id: "a", input: "one" });
  await eventually(() => expect(engine.asked).toHaveLength(1));
  engine.pause = null;
  socket.say({ ...create, stream_id: "a", input: "two" });
  socket.say({ ...create, stream_id: "b", input: "three" });
  await socket.untilEvents("response.completed");
  expect(socket.events.at(-1)?.stream_id).toBe("b");
  expect(engine.asked).toHaveLength(2);
  gate.resolve();
  await socket.untilEvents("response.completed", 3);
  expect(engine.lastRead()).toContain("two");
  expect(new Set(socket.events.map((event) => event.stream_id))).toEqual(new Set(["a", "b"]));
  socket.leave();
  await settled();
});

test("what is wrong is told with its status and name, and the socket goes on", async () => {
  const socket = await openSocket(await bearer("sockets", "wrong"));
  const wrong = [
    ["{", 400, "invalid_json", null],
    [{ type: "nonsense" }, 400, "invalid_value", "type"],
    [{ ...create, temperature: 9 }, 400, "invalid_value", "temperature"],
    [{ ...create, background: true }, 400, "unsupported_parameter", "background"],
    [{ ...create, model: "none-such" }, 404, "model_not_found", "model"],
    [{ ...create, previous_response_id: "resp_none" }, 404, "not_found", "previous_response_id"],
    [{ type: "response.resume", response_id: "resp_none" }, 404, "not_found", null],
  ] as const;
  for (const [at, [message, status, code, param]] of wrong.entries()) {
    socket.say(message);
    await socket.untilEvents("error", at + 1);
    expect(socket.events.at(-1)).toMatchObject({ type: "error", status, error: { code, param } });
  }
  socket.say(create);
  await socket.untilEvents("response.completed");
  socket.leave();
  await settled();
});

test("a message over the tenant's limit is told so unread, and a client that says nothing but nonsense is closed", async () => {
  const socket = await openSocket(await bearer("sockets", "nonsense"));
  socket.say({ ...create, input: "x".repeat(2_200_000) });
  await socket.untilEvents("error");
  expect(socket.events.at(-1)).toMatchObject({ status: 413, error: { code: "request_too_large" } });
  for (let at = 0; at < socketLimits.wrong; at += 1) socket.say("nonsense");
  await socket.untilClosed();
  expect(socket.closed?.code).toBe(1008);
  expect(socket.texts).toHaveLength(socketLimits.wrong);
  await settled();
});

test("what is not to be stored is gone with the socket, and can be gone on from until then", async () => {
  const authorization = await bearer("sockets", "unstored");
  const socket = await openSocket(authorization);
  const unstored = { ...create, store: false };
  socket.say(unstored);
  await socket.untilEvents("response.completed");
  const first = socket.events.at(-1)?.response?.id ?? "";
  socket.say({ ...unstored, previous_response_id: first, input: "And?" });
  await socket.untilEvents("response.completed", 2);
  expect(engine.lastRead()).toContain("Hello there");
  const second = socket.events.at(-1)?.response?.id ?? "";
  const status = async (id: string) =>
    (await send(`/v1/responses/${id}`, { headers: { authorization } })).status;
  await eventually(async () => expect(await status(first)).toBe(404));
  expect(await status(second)).toBe(200);
  socket.leave();
  await eventually(async () => expect(await status(second)).toBe(404));
  await settled();
});

test("a chain of responses that are not stored knows of its beginning, which is gone", async () => {
  const socket = await openSocket(await bearer("sockets", "unstored-chain"));
  let previous: string | undefined;
  for (const [at, input] of ["My name is Ann.", "I am 7.", "Who am I?"].entries()) {
    socket.say({ ...create, store: false, input, previous_response_id: previous });
    await socket.untilEvents("response.completed", at + 1);
    previous = socket.events.at(-1)?.response?.id;
  }
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user", content: "My name is Ann." },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "I am 7." },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "Who am I?" },
  ]);
  socket.leave();
  await settled();
});
