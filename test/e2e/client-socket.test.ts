/** The official client's socket of the Responses API, and a browser's, against the running product and the bundle as it ships. */
import { ResponsesWS } from "openai/resources/responses/ws";
import type { Responses } from "openai/resources/responses/responses";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../../dev/local-token.ts";
import { clientFor, tokenFor, unique } from "./product.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

test("the official client's socket answers turn after turn", async () => {
  const client = await clientFor();
  const socket = new ResponsesWS(client);
  const asking = { type: "response.create", model: "auto" } as const;
  let text = "";
  let previous: string | null = null;
  const ended: Responses.Response[] = [];
  const both = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("response.output_text.delta", (event) => {
      text += event.delta;
    });
    socket.on("response.completed", ({ response }) => {
      ended.push(response);
      if (ended.length === 2) return resolve();
      previous = response.id;
      socket.send({ ...asking, input: "And you?", previous_response_id: previous });
    });
  });
  socket.send({ ...asking, input: "Hello" });
  await both;
  socket.close();
  expect(ended.map((response) => response.status)).toEqual(["completed", "completed"]);
  expect(ended[1]?.previous_response_id).toBe(ended[0]?.id);
  const stored = await Promise.all(ended.map(({ id }) => client.responses.retrieve(id)));
  expect(stored.map((response) => response.output_text).join("")).toBe(text);
});

let world: ServeWorld;
beforeAll(async () => {
  world = await startServeWorld();
});
afterAll(() => world.stop());

/** What a page can do: no headers, only subprotocols. */
async function openAsBrowser(token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${world.url.replace("http", "ws")}/v1/responses`, [
    "responses",
    `openai-insecure-api-key.${token}`,
  ]);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the socket did not open")));
  });
  return socket;
}

function next(socket: WebSocket, matches: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      if (matches(String(data))) resolve(String(data));
    });
  });
}

test("on plain workerd a browser's socket answers, and heartbeats are answered", async () => {
  const socket = await openAsBrowser(await tokenFor());
  expect(socket.protocol).toBe("responses");
  const completed = next(socket, (text) => text.startsWith('{"type":"response.completed"'));
  socket.send(JSON.stringify({ type: "response.create", model: "auto", input: "Hello" }));
  expect(JSON.parse(await completed)).toMatchObject({ response: { status: "completed" } });
  const pong = next(socket, (text) => text === "pong");
  socket.send("ping");
  await pong;
  socket.close();
});

test("a revocation closes the sockets of its user within five seconds, and of nobody else", async () => {
  const user = unique();
  const socket = await openAsBrowser(await tokenFor({ user }));
  const other = await openAsBrowser(await tokenFor());
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("close", ({ code }) => resolve(code));
  });
  const admin = await makeToken(["--tenant", "demo", "--user", "admin", "--scope", "tenant:admin"]);
  const beganMs = Date.now();
  const revoked = await world.post(admin, { user }, { path: "/admin/revocations" });
  expect(revoked.status).toBe(200);
  // The close frame ends it; workerd keeps the connection under it for some seconds more.
  await expect.poll(() => socket.readyState, { interval: 20 }).not.toBe(WebSocket.OPEN);
  expect(Date.now() - beganMs).toBeLessThan(5000);
  expect(await closed).toBe(1008);
  expect(other.readyState).toBe(WebSocket.OPEN);
  other.close();
});
