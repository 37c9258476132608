/** A user whose vector store holds two files, and the texts that an answer may cite. */
import { expect } from "vitest";
import { callerOf, processed, type Caller } from "./knowledge-fixture.ts";
import { bearer } from "./edge-under-test.ts";

export const closed = "The office is closed on the first Monday of May.";
export const trains = "Trains to the office are booked by Marta.";

export interface Reader {
  readonly caller: Caller;
  readonly authorization: string;
  readonly storeId: string;
  readonly files: readonly string[];
}

/** What a reader's two files and their store count. */
export const readerRequests = 3;

/** @param visible whether the whole tenant may search the store */
export async function readerWithFiles(tenant: string, user: string, visible = false): Promise<Reader> {
  const claims = { tier: "pro", ...(visible ? { scope: "tenant:admin" } : {}) };
  const caller = await callerOf(tenant, user, claims);
  const query = visible ? "?visibility=tenant" : "";
  const files = [
    await uploaded(caller, query, "closed.md", closed),
    await uploaded(caller, query, "trains.md", trains),
  ];
  const store = await caller.ask("POST", "/v1/vector_stores", {
    name: "Handbook",
    file_ids: files,
    ...(visible ? { visibility: "tenant" } : {}),
  });
  expect(store.status).toBe(200);
  await processed(caller, store.body.id);
  return { caller, authorization: await bearer(tenant, user, claims), storeId: store.body.id, files };
}

async function uploaded(caller: Caller, query: string, filename: string, text: string): Promise<string> {
  const form = new FormData();
  form.append("purpose", "assistants");
  form.append("file", new File([text], filename));
  const response = await caller.send(`/v1/files${query}`, { method: "POST", body: form });
  expect(response.status).toBe(200);
  return (await response.json<{ id: string }>()).id;
}
