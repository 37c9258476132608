import { expect, test } from "vitest";
import { readClientEvent } from "./client-event.ts";
import { chosenProtocol, socketCredential } from "./socket-credential.ts";

const create = { type: "response.create", model: "auto", input: "Hi" };

test.each([
  [create, { type: "create", lane: null, request: { model: "auto", stream: true } }],
  [
    { ...create, stream_id: "a.b-c_1", stream: true, background: false },
    { type: "create", lane: "a.b-c_1" },
  ],
  [
    { type: "response.resume", response_id: "resp_1", starting_after: 4 },
    { type: "resume", lane: null, responseId: "resp_1", from: 5 },
  ],
  [
    { type: "response.resume", response_id: "resp_1" },
    { type: "resume", from: 0 },
  ],
  [{ type: "session.ack" }, { type: "ack" }],
])("%j is understood", (message, value) => {
  expect(readClientEvent(JSON.stringify(message))).toMatchObject({ ok: true, value });
});

test.each([
  ["nonsense", { type: "nonsense" }, "type"],
  ["another field", { type: "session.ack", more: 1 }, "more"],
  ["a lane with blanks", { ...create, stream_id: "a b" }, "stream_id"],
  ["no stream", { ...create, stream: false }, "stream"],
  ["the background", { ...create, background: true }, "background"],
  [
    "a position that is none",
    { type: "response.resume", response_id: "r", starting_after: -2 },
    "starting_after",
  ],
  ["a field that is wrong", { ...create, stream_id: "a", temperature: 9 }, "temperature"],
])("%s is refused by the field's name", (_, message, param) => {
  const read = readClientEvent(JSON.stringify(message));
  expect(read).toMatchObject({ ok: false, error: { refusal: { param } } });
});

test("a refusal names the lane that it is of", () => {
  const read = readClientEvent(JSON.stringify({ ...create, stream_id: "a", temperature: 9 }));
  expect(read).toMatchObject({ ok: false, error: { lane: "a" } });
  expect(readClientEvent("{")).toMatchObject({ ok: false, error: { lane: null } });
});

test("a credential among the subprotocols counts on an upgrade alone, and is not repeated where another is offered", () => {
  const headers = (protocols: string, upgrade = "websocket") =>
    new Headers({ "sec-websocket-protocol": protocols, upgrade });
  expect(socketCredential(headers("realtime, openai-insecure-api-key.abc"))).toBe("Bearer abc");
  expect(socketCredential(headers("realtime, openai-insecure-api-key.abc", "h2c"))).toBeNull();
  expect(socketCredential(headers("realtime"))).toBeNull();
  expect(chosenProtocol(headers("openai-insecure-api-key.abc,realtime"))).toBe("realtime");
  expect(chosenProtocol(headers("openai-insecure-api-key.abc"))).toBe("openai-insecure-api-key.abc");
  expect(chosenProtocol(headers(""))).toBeNull();
});
