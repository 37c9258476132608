import { beforeAll, expect, test } from "vitest";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, processed } from "./knowledge-fixture.ts";

beforeAll(async () => {
  await putTenant("knows", {});
});

const handbook =
  "# Office\n\nThe office is closed on the first Monday of May.\n\n# Travel\n\nTrains are booked by Marta.";

test("a file is uploaded, put into a store, found there, and gone everywhere when it is deleted", async () => {
  const ann = await callerOf("knows", "ann");
  const fileId = await ann.upload("handbook.md", handbook);
  expect(fileId).toMatch(/^file-[0-9a-z]{47}$/);
  expect((await ann.ask("GET", `/v1/files/${fileId}`)).body).toEqual({
    id: fileId,
    object: "file",
    bytes: handbook.length,
    created_at: expect.any(Number) as number,
    filename: "handbook.md",
    purpose: "assistants",
    status: "processed",
    visibility: "user",
  });
  const content = await ann.send(`/v1/files/${fileId}/content`);
  expect(await content.text()).toBe(handbook);
  const store = await ann.ask("POST", "/v1/vector_stores", { name: "Handbook", file_ids: [fileId] });
  expect(store.body).toMatchObject({ object: "vector_store", status: "in_progress", name: "Handbook" });
  const done = await processed(ann, store.body.id);
  expect(done.body).toMatchObject({
    status: "completed",
    file_counts: { in_progress: 0, completed: 1, failed: 0, cancelled: 0, total: 1 },
  });
  const path = `/v1/vector_stores/${store.body.id}`;
  const found = await ann.ask("POST", `${path}/search`, { query: "When is the office closed?" });
  expect(found.body).toMatchObject({
    object: "vector_store.search_results.page",
    data: [{ file_id: fileId, filename: "handbook.md", content: [{ type: "text" }] }],
  });
  expect(JSON.stringify(found.body)).toContain("first Monday of May");
  expect((await ann.ask("GET", `${path}/files/${fileId}/content`)).body["data"]).toEqual([
    { type: "text", text: handbook },
  ]);
  expect((await ann.ask("DELETE", `/v1/files/${fileId}`)).body).toEqual({
    id: fileId,
    object: "file",
    deleted: true,
  });
  expect((await ann.ask("POST", `${path}/search`, { query: "office" })).body["data"]).toEqual([]);
  expect((await ann.ask("GET", path)).body).toMatchObject({ usage_bytes: 0, file_counts: { total: 0 } });
});
