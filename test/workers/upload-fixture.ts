/** Uploads in parts as a client makes them, inside workerd. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { libraryName } from "../../src/shared/contracts/library.ts";
import type { Answer, Caller } from "./knowledge-fixture.ts";

export const announced = { filename: "long.txt", purpose: "user_data", mime_type: "text/plain" };

export async function begun(caller: Caller, bytes: number, more: object = {}): Promise<string> {
  const made = await caller.ask("POST", "/v1/uploads", { ...announced, bytes, ...more });
  expect(made).toMatchObject({
    status: 200,
    body: { object: "upload", status: "pending", bytes, file: null },
  });
  return made.body.id;
}

export async function sendPart(caller: Caller, uploadId: string, data: string | File): Promise<Answer> {
  const body = new FormData();
  body.append("data", data);
  const response = await caller.send(`/v1/uploads/${uploadId}/parts`, { method: "POST", body });
  return { status: response.status, body: await response.json() };
}

export async function part(caller: Caller, uploadId: string, text: string): Promise<string> {
  const sent = await sendPart(caller, uploadId, new File([text], "upload"));
  expect(sent).toMatchObject({ status: 200, body: { object: "upload.part", upload_id: uploadId } });
  return sent.body.id;
}

export function complete(caller: Caller, uploadId: string, part_ids: readonly string[], more: object = {}) {
  return caller.ask("POST", `/v1/uploads/${uploadId}/complete`, { part_ids, ...more });
}

export async function contentOf(caller: Caller, fileId: string): Promise<string> {
  return (await caller.send(`/v1/files/${fileId}/content`)).text();
}

export function library(tenant: string, user: string) {
  return env.LIBRARY.getByName(libraryName({ tenant, user }));
}
