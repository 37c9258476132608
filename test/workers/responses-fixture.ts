/** Responses asked for and read through the Worker as it ships. */
import { expect } from "vitest";
import { post, send } from "./edge-under-test.ts";
import { type ReadEvent, readEvents, type ResponseObject } from "./response-events.ts";

export const question = { model: "auto", max_output_tokens: 50, input: "Hi" };

export async function create(authorization: string, body: object): Promise<ResponseObject> {
  const response = await post("/v1/responses", authorization, { ...question, ...body });
  expect(response.status).toBe(200);
  return response.json();
}

export async function stream(authorization: string, body: object): Promise<readonly ReadEvent[]> {
  const response = await post("/v1/responses", authorization, { ...question, stream: true, ...body });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return readEvents(await response.text());
}

export async function get(
  authorization: string,
  path: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await send(`/v1/responses/${path}`, { headers: { authorization } });
  return { status: response.status, body: await response.json() };
}
