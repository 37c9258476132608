/** A browser's socket of the Responses API, against the bundle as it ships. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../../../dev/commands/local-token.ts";
import { tokenFor, unique } from "../callers.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

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
