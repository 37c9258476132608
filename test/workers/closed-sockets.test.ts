/** When is a socket closed from this side, and how does its client go on? */
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { expect, test } from "vitest";
import type { SessionOpening } from "../../src/shared/contracts/session.ts";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { bearer, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { bucketOf, create, sessionOf, socketEdge } from "./sockets-fixture.ts";
import { openSocket, upgrade } from "./test-socket.ts";

const engine = socketEdge();

async function storageIsEmpty(stub: Awaited<ReturnType<typeof sessionOf>>): Promise<boolean> {
  return runInDurableObject(stub, (_object, { storage }) => [...storage.kv.list()].length === 0);
}

test("revoking the user's credentials closes the socket, and leaves nothing of it", async () => {
  const socket = await openSocket(await bearer("sockets", "revoked"));
  const session = await sessionOf("revoked");
  const bucket = bucketOf("revoked");
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
  const bucket = bucketOf("unrevoked");
  await bucket.revoke({ version: 1, what: "key", keyId: "another" });
  socket.say(create);
  await socket.untilEvents("response.completed");
  expect(socket.closed).toBeNull();
  socket.leave();
  await settled();
});

test("what its tenant grants no more is refused on an open socket as in a request: the tenant was changed since", async () => {
  const socket = await openSocket(await bearer("sockets", "ungranted"));
  const session = await sessionOf("ungranted");
  await runInDurableObject(session, (_object, { storage }) => {
    const opening = storage.kv.get<SessionOpening>("session");
    if (opening === undefined) throw new Error("no opening");
    const principal = { ...opening.principal, scopes: ["was:granted"] };
    storage.kv.put("session", { ...opening, principal });
  });
  await evictDurableObject(session);
  socket.say(create);
  await socket.untilEvents("error");
  expect(socket.events).toMatchObject([{ type: "error", status: 401, error: { code: "invalid_token" } }]);
  expect(engine.asked).toHaveLength(0);
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
