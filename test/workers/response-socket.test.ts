import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { SessionOpening } from "../../src/shared/contracts/session.ts";
import { bucketName } from "../../src/shared/limits/bucket-name.ts";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { bearer, putTenant, send, settled } from "./edge-under-test.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { openSocket, type TestSocket, TestSocket as Socket, upgrade } from "./test-socket.ts";
import { eventually } from "./eventually.ts";

const engine = new ScriptedEngine();

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine.fetch);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("sockets", { cors: { origins: ["https://app.example.com"] } });
});
beforeEach(() => {
  engine.tokens = ["Hello", " there"];
  engine.script = null;
  engine.asked.length = 0;
  engine.cancelled = 0;
  engine.pause = null;
});
afterAll(() => void vi.restoreAllMocks());

const create = { type: "response.create", model: "auto", max_output_tokens: 50, input: "Hi" };
const types = (socket: TestSocket) => socket.events.map((event) => event.type);
const textOf = (socket: TestSocket) => socket.events.map((event) => event.delta ?? "").join("");

/** The object of the newest socket of this user: only the bucket that tells it of revocations knows its name. */
async function sessionOf(user: string) {
  const bucket = env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", user));
  const names = await runInDurableObject(bucket, (_object, { storage }) =>
    Array.from(storage.kv.list({ prefix: "socket/" }), ([name]) => name.slice("socket/".length)),
  );
  return env.SESSION.getByName(names.toSorted((one, other) => one.localeCompare(other)).at(-1) ?? "");
}

async function storageIsEmpty(stub: Awaited<ReturnType<typeof sessionOf>>): Promise<boolean> {
  return runInDurableObject(stub, (_object, { storage }) => [...storage.kv.list()].length === 0);
}

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
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({
      user: { used: { requests: 2, tokens: 24 }, reserved: { tokens: 0 } },
    });
  });
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
    [{ ...create, previous_response_id: "resp_none" }, 404, "not_found", null],
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

test("without a credential, with a wrong one, or from a foreign page there is no socket", async () => {
  const authorization = await bearer("sockets", "door");
  expect((await upgrade({})).status).toBe(401);
  expect((await upgrade({ authorization: "Bearer nonsense" })).status).toBe(401);
  expect((await upgrade({ authorization, origin: "https://evil.example.com" })).status).toBe(403);
  const allowed = await upgrade({ authorization, origin: "https://app.example.com" });
  expect(allowed.status).toBe(101);
  if (allowed.webSocket !== null) new Socket(allowed.webSocket).leave();
  expect((await send("/v1/responses", { headers: { authorization } })).status).toBe(405);
  const inUrl = `/v1/responses?token=${authorization.slice("Bearer ".length)}`;
  expect((await send(inUrl, { headers: { upgrade: "websocket" } })).status).toBe(401);
  await settled();
});

test("a browser's credential comes as a subprotocol, which is not repeated where another one is offered", async () => {
  const token = (await bearer("sockets", "browser")).slice("Bearer ".length);
  const response = await upgrade({
    "sec-websocket-protocol": `responses, openai-insecure-api-key.${token}`,
    origin: "https://app.example.com",
  });
  expect(response.status).toBe(101);
  expect(response.headers.get("sec-websocket-protocol")).toBe("responses");
  if (response.webSocket === null) throw new Error("no socket");
  const socket = new Socket(response.webSocket);
  socket.say(create);
  await socket.untilEvents("response.completed");
  socket.leave();
  await settled();
});

test("revoking the user's credentials closes the socket, and leaves nothing of it", async () => {
  const socket = await openSocket(await bearer("sockets", "revoked"));
  const session = await sessionOf("revoked");
  const bucket = env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", "revoked"));
  await bucket.revoke({ version: 1, what: "everything-issued-before-now" });
  await socket.untilClosed();
  expect(socket.closed).toMatchObject({ code: 1008, reason: "the credential is revoked" });
  await eventually(async () => expect(await storageIsEmpty(session)).toBe(true));
  await eventually(async () =>
    expect(
      await runInDurableObject(bucket, (_object, { storage }) => [...storage.kv.list({ prefix: "socket/" })]),
    ).toEqual([]),
  );
  const before = { tier: "pro", iat: Math.floor(Date.now() / 1000) - 60 };
  expect((await upgrade({ authorization: await bearer("sockets", "revoked", before) })).status).toBe(401);
  await settled();
});

test("another key's revocation leaves it open, and so does what was issued later", async () => {
  const socket = await openSocket(await bearer("sockets", "unrevoked"));
  const bucket = env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", "unrevoked"));
  await bucket.revoke({ version: 1, what: "key", keyId: "another" });
  socket.say(create);
  await socket.untilEvents("response.completed");
  expect(socket.closed).toBeNull();
  socket.leave();
  await settled();
});

test("when its credential ends the socket is closed by the alarm, and so is one that is an hour old", async () => {
  const socket = await openSocket(await bearer("sockets", "expiring"));
  const session = await sessionOf("expiring");
  const end = async (change: (opening: SessionOpening) => SessionOpening) => {
    await runInDurableObject(session, (_object, { storage }) => {
      const opening = storage.kv.get<SessionOpening>("session");
      if (opening === undefined) throw new Error("no opening");
      storage.kv.put("session", change(opening));
    });
    await evictDurableObject(session);
    await runDurableObjectAlarm(session);
  };
  await end((opening) => opening);
  expect(socket.closed).toBeNull();
  await end((opening) => ({ ...opening, untilMs: 1, principal: { ...opening.principal, expiresAtMs: 1 } }));
  await socket.untilClosed();
  expect(socket.closed).toMatchObject({ code: 1008, reason: "the credential has expired" });
  const old = await openSocket(await bearer("sockets", "old"));
  const other = await sessionOf("old");
  await runInDurableObject(other, (_object, { storage }) => {
    const opening = storage.kv.get<SessionOpening>("session");
    storage.kv.put("session", { ...opening, untilMs: 1 });
  });
  await evictDurableObject(other);
  old.say(create);
  await old.untilClosed();
  expect(old.closed?.code).toBe(1001);
  expect(engine.asked).toHaveLength(0);
  await settled();
});

test("an object whose memory of an answer is lost closes its socket, and the client goes on behind its last event", async () => {
  const authorization = await bearer("sockets", "lost");
  const socket = await openSocket(authorization);
  socket.say(create);
  await socket.untilEvents("response.output_text.delta");
  await socket.untilEvents("response.completed");
  const session = await sessionOf("lost");
  // What is being said keeps the object in memory: so it is made to look as if it had not.
  await runInDurableObject(session, (_object, context) => {
    for (const one of context.getWebSockets()) one.serializeAttachment({ active: true, resumes: 0 });
  });
  await evictDurableObject(session);
  await runDurableObjectAlarm(session);
  await socket.untilClosed();
  expect(socket.closed?.code).toBe(1013);
  const again = await openSocket(authorization);
  const [created] = socket.events;
  again.say({ type: "response.resume", response_id: created?.response?.id, starting_after: 4 });
  await again.untilEvents("response.completed");
  expect(again.texts).toEqual(socket.texts.slice(5));
  again.leave();
  await settled();
});

test("a crash of everything in mid-answer ends the socket, and another one tells the rest, numbered without a gap", async () => {
  const authorization = await bearer("sockets", "crash");
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: new Promise(() => undefined) };
  const socket = await openSocket(authorization);
  socket.say(create);
  await socket.untilEvents("response.output_text.delta", 2);
  await abortAllDurableObjects();
  await socket.untilClosed();
  engine.pause = null;
  const seen = socket.events;
  const again = await openSocket(authorization);
  again.say({
    type: "response.resume",
    response_id: seen[0]?.response?.id,
    starting_after: seen.at(-1)?.sequence_number,
  });
  await again.until(({ texts }) => texts.some((text) => /"type":"response.(completed|failed)"/.test(text)));
  const all = [...seen, ...again.events];
  expect(all.map((event) => event.sequence_number)).toEqual(all.map((_, at) => at));
  again.leave();
  await settled();
});

test("a client that is not heard is closed before it is too far behind, and goes on from there; one that acknowledges is not", async () => {
  engine.tokens = Array.from({ length: 8000 }, () => "x".repeat(32));
  const authorization = await bearer("sockets", "silent", { tier: "enterprise" });
  const silent = await openSocket(authorization);
  silent.say({ ...create, max_output_tokens: 8192 });
  await silent.untilClosed();
  expect(silent.closed?.code).toBe(1013);
  const bytes = silent.texts.reduce((sum, text) => sum + text.length, 0);
  expect(bytes).toBeLessThanOrEqual(socketLimits.aheadBytes);
  expect(bytes).toBeGreaterThan(socketLimits.aheadBytes / 2);
  const seen = silent.events;
  const heard = await openSocket(authorization);
  const resume = { type: "response.resume", response_id: seen[0]?.response?.id };
  heard.say(resume);
  for (let before = 0; ; before = heard.texts.length) {
    await heard.until(({ texts }) => texts.length >= before + 3000 || isEnd(texts.at(-1)));
    if (isEnd(heard.texts.at(-1))) break;
    heard.say({ type: "session.ack" });
  }
  expect(heard.closed).toBeNull();
  expect(heard.texts.slice(0, seen.length)).toEqual(silent.texts);
  const behind = await openSocket(authorization);
  behind.say({ ...resume, starting_after: seen.length - 1 });
  await behind.until(({ texts }) => isEnd(texts.at(-1)));
  expect([...silent.texts, ...behind.texts]).toEqual(heard.texts);
  for (const socket of [heard, behind]) socket.leave();
  await settled();
});

const isEnd = (text: string | undefined): boolean =>
  text !== undefined && /^\{"type":"response\.(completed|incomplete)"/.test(text);

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

/** What a session tells a bucket of its socket, all but its name. */
function registration() {
  return { v: 1, jurisdiction: "none", untilMs: Date.now() + 60_000, issuedAtMs: 0, keyId: null } as const;
}

test("a user has so many sockets and no more", async () => {
  const bucket = env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", "crowd"));
  const message = registration();
  for (let at = 0; at < socketLimits.perUser; at += 1)
    expect(await bucket.openSocket({ ...message, session: `s${at}` }, socketLimits.perUser)).toEqual({
      result: "open",
    });
  expect((await upgrade({ authorization: await bearer("sockets", "crowd") })).status).toBe(409);
  await bucket.closeSocket({ v: 1, session: "s0" });
  const socket = await openSocket(await bearer("sockets", "crowd"));
  socket.leave();
  await settled();
});

test("sockets that a deploy or a crash took stop counting when somebody finds no place", async () => {
  const bucket = env.TOKEN_BUCKET.getByName(bucketName("sockets", "user", "deployed"));
  const open = await openSocket(await bearer("sockets", "deployed"));
  const gone = registration();
  await bucket.openSocket({ ...gone, session: "gone" }, 2);
  expect(await bucket.openSocket({ ...gone, session: "new" }, 2)).toEqual({ result: "full" });
  await eventually(async () =>
    expect(await bucket.openSocket({ ...gone, session: "new" }, 2)).toEqual({ result: "open" }),
  );
  expect(await bucket.openSocket({ ...gone, session: "newer" }, 2)).toEqual({ result: "full" });
  expect(open.closed).toBeNull();
  open.leave();
  await settled();
});
