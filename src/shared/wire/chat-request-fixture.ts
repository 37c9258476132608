/** Bodies of a chat completion that are accepted or refused, given by their difference from a minimal one. */
import { expect } from "vitest";
import { parseChatRequest, type ChatRequest } from "./chat-request.ts";

export const user = { role: "user", content: "Hello" };
export const tool = { type: "function", function: { name: "add", parameters: { type: "object" } } };
export const call = { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1}' } };

function parse(fields: Record<string, unknown>) {
  return parseChatRequest(JSON.stringify({ model: "auto", messages: [user], ...fields }));
}

export function accepted(fields: Record<string, unknown>): ChatRequest {
  const result = parse(fields);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export function refused(fields: Record<string, unknown>) {
  const result = parse(fields);
  expect(result).toMatchObject({ ok: false });
  return result.ok ? null : result.error;
}
