/** Who gets a socket? By which credential, from which page, and how many a user has. */
import { expect, test } from "vitest";
import { socketLimits } from "../../src/shared/sessions/socket-limits.ts";
import { bearer, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { bucketOf, create, socketEdge } from "./sockets-fixture.ts";
import { openSocket, TestSocket, upgrade } from "./test-socket.ts";

socketEdge();

test("without a credential, with a wrong one, or from a foreign page there is no socket", async () => {
  const authorization = await bearer("sockets", "door");
  expect((await upgrade({})).status).toBe(401);
  expect((await upgrade({ authorization: "Bearer nonsense" })).status).toBe(401);
  expect((await upgrade({ authorization, origin: "https://evil.example.com" })).status).toBe(403);
  const allowed = await upgrade({ authorization, origin: "https://app.example.com" });
  expect(allowed.status).toBe(101);
  if (allowed.webSocket !== null) new TestSocket(allowed.webSocket).leave();
  const plain = await send("/v1/responses", { headers: { authorization } });
  expect([plain.status, plain.headers.get("allow")]).toEqual([405, "POST"]);
  expect(await plain.json()).toMatchObject({
    error: {
      code: "method_not_allowed",
      message: expect.stringContaining("only to open a WebSocket") as string,
    },
  });
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
  const socket = new TestSocket(response.webSocket);
  socket.say(create);
  await socket.untilEvents("response.completed");
  socket.leave();
  await settled();
});

/** What a session tells a bucket of its socket, all but its name. */
function registration() {
  return { v: 1, jurisdiction: "none", untilMs: Date.now() + 60_000, issuedAtMs: 0, keyId: null } as const;
}

test("a user has so many sockets and no more", async () => {
  const bucket = bucketOf("crowd");
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
  const bucket = bucketOf("deployed");
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
