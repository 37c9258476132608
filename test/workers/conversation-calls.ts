/** Conversations by their routes, as a client without a library asks for them. */
import { expect } from "vitest";
import { send } from "./edge-under-test.ts";

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export async function ask(
  method: string,
  path: string,
  authorization: string,
  body?: object,
): Promise<Answer> {
  const response = await send(path, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

export interface Listed {
  readonly id: string;
  readonly title: string | null;
  readonly metadata: Record<string, string>;
}

export async function list(authorization: string, query = ""): Promise<readonly Listed[]> {
  const { status, body } = await ask("GET", `/v1/conversations${query}`, authorization);
  expect([status, body["object"]]).toEqual([200, "list"]);
  return body["data"] as Listed[];
}

export async function create(authorization: string, body: object = {}): Promise<string> {
  return (await ask("POST", "/v1/conversations", authorization, body)).body["id"] as string;
}

export const chat = (conversation: string, content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 20,
  conversation_id: conversation,
  messages: [{ role: "user", content }],
  ...more,
});

export const message = (content: string) => ({ type: "message", role: "user", content });
