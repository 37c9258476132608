import { expect, test } from "vitest";
import { type ResponseTurnRequest, statusAtEnd } from "./chat-turn-end.ts";

const chat = {};
// Whether the turn is a response is all that is read of it.
const response = { response: {} as ResponseTurnRequest["response"] };

test.each([
  ["done", "stop", "completed", "completed"],
  ["done", "tool_calls", "completed", "completed"],
  // OpenAI's response that reached its length is `incomplete`; a chat says so by its finish reason alone.
  ["done", "length", "completed", "incomplete"],
  ["done", "content_filter", "incomplete", "incomplete"],
  ["budget-spent", "length", "incomplete", "incomplete"],
  ["blocked", "content_filter", "incomplete", "incomplete"],
  ["client-gone", null, "cancelled", "cancelled"],
  ["origin-error", null, "failed", "failed"],
  ["stalled", null, "failed", "failed"],
  ["deadline", null, "failed", "failed"],
] as const)(
  "a stream that ends %s with %s: a chat is %s, a response %s",
  (end, finish, ofChat, ofResponse) => {
    expect(statusAtEnd(end, chat, finish)).toBe(ofChat);
    expect(statusAtEnd(end, response, finish)).toBe(ofResponse);
  },
);
