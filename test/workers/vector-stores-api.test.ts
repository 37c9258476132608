/** `/v1/vector_stores` as a client sees it: stores, the files in them, and batches of these. */
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

test("a search counts as a request, as the store does, and is refused with the headers of any other beyond the limit", async () => {
  await putTenant("searches-twice", { limits: { user: { pro: { requests_per_day: 3 } } } });
  const lea = await callerOf("searches-twice", "lea", { tier: "pro" });
  const store = await lea.ask("POST", "/v1/vector_stores", {});
  const search = async (id: string): Promise<Response> => {
    const body = JSON.stringify({ query: "office" });
    const headers = { "content-type": "application/json" };
    return lea.send(`/v1/vector_stores/${id}/search`, { method: "POST", headers, body });
  };
  // What is not there costs nothing.
  expect((await search(`vs_${"0".repeat(47)}`)).status).toBe(404);
  const found = await search(store.body.id);
  expect(found.status).toBe(200);
  expect(found.headers.get("x-ratelimit-limit-requests")).toBe("3");
  expect((await search(store.body.id)).status).toBe(200);
  const refused = await search(store.body.id);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  expect((await lea.ask("GET", "/v1/usage")).body).toMatchObject({
    user: { used: { requests: 3, tokens: 0, cost_usd: 0 }, models: [] },
  });
});

test("a store is looked at, changed, listed and deleted", async () => {
  const gus = await callerOf("knows", "gus");
  const made = await gus.ask("POST", "/v1/vector_stores", {
    name: "One",
    description: "First",
    metadata: { a: "b" },
    expires_after: { anchor: "last_active_at", days: 7 },
  });
  const { body } = made;
  expect(body).toEqual({
    id: expect.stringMatching(/^vs_[0-9a-z]{47}$/) as string,
    object: "vector_store",
    created_at: expect.any(Number) as number,
    name: "One",
    description: "First",
    usage_bytes: 0,
    file_counts: { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 },
    status: "completed",
    expires_after: { anchor: "last_active_at", days: 7 },
    expires_at: Number(body["last_active_at"]) + 7 * 86_400,
    last_active_at: body["created_at"],
    metadata: { a: "b" },
    visibility: "user",
  });
  const path = `/v1/vector_stores/${body.id}`;
  expect((await gus.ask("GET", path)).body).toEqual(body);
  const changed = await gus.ask("POST", path, { name: "Two", metadata: { c: "d" }, expires_after: null });
  expect(changed.body).toMatchObject({ name: "Two", metadata: { c: "d" }, expires_at: null });
  const other = await gus.ask("POST", "/v1/vector_stores", {});
  const list = await gus.ask("GET", "/v1/vector_stores?limit=1");
  expect(list.body).toMatchObject({ data: [{ id: other.body.id }], has_more: true });
  const before = await gus.ask("GET", `/v1/vector_stores?order=asc&before=${other.body.id}`);
  expect(before.body).toMatchObject({ data: [{ id: body.id, name: "Two" }], has_more: false });
  expect((await gus.ask("DELETE", path)).body).toEqual({
    id: body.id,
    object: "vector_store.deleted",
    deleted: true,
  });
  for (const [method, more] of [
    ["GET", ""],
    ["DELETE", ""],
    ["GET", "/files"],
  ] as const)
    expect((await gus.ask(method, path + more)).status).toBe(404);
  expect(await gus.ask("POST", `${path}/search`, { query: "x" })).toMatchObject({ status: 404 });
});

test("files are attached with attributes, searched by them, changed, listed by state and taken out", async () => {
  const hal = await callerOf("knows", "hal");
  const ids = [
    await hal.upload("a.txt", "The tower is tall."),
    await hal.upload("b.txt", "The tower is red."),
  ];
  const picture = await hal.upload("c.png", new Uint8Array([137, 80, 78, 71, 0, 1, 2]));
  const store = await hal.ask("POST", "/v1/vector_stores", {});
  const path = `/v1/vector_stores/${store.body.id}`;
  const attached = await hal.ask("POST", `${path}/files`, {
    file_id: ids[0],
    attributes: { year: 2025, draft: false },
    chunking_strategy: {
      type: "static",
      static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 50 },
    },
  });
  expect(attached.body).toMatchObject({
    id: ids[0],
    object: "vector_store.file",
    vector_store_id: store.body.id,
    status: "in_progress",
    last_error: null,
    attributes: { year: 2025, draft: false },
    chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 50 } },
  });
  await hal.ask("POST", `${path}/files`, { file_id: ids[1], attributes: { year: 2026 } });
  await hal.ask("POST", `${path}/files`, { file_id: picture });
  await processed(hal, store.body.id);
  const found = async (filters?: object) => {
    const answer = await hal.ask("POST", `${path}/search`, { query: ["tower", "red"], filters });
    return (answer.body["data"] as { file_id: string }[]).map(({ file_id: id }) => id).sort();
  };
  expect(await found()).toEqual([...ids].sort());
  const recent = { type: "gte", key: "year", value: 2026 };
  expect(await found(recent)).toEqual([ids[1]]);
  const updated = await hal.ask("POST", `${path}/files/${ids[0]}`, { attributes: { year: 2027 } });
  expect(updated.body).toMatchObject({ attributes: { year: 2027 }, status: "completed" });
  expect(await found(recent)).toEqual([...ids].sort());
  const failed = await hal.ask("GET", `${path}/files?filter=failed`);
  expect(failed.body).toMatchObject({
    data: [{ id: picture, status: "failed", last_error: { code: "unsupported_file" } }],
  });
  expect(JSON.stringify(failed.body)).toContain("Markdown");
  expect((await hal.ask("GET", `${path}/files/${picture}/content`)).status).toBe(409);
  expect((await hal.ask("DELETE", `${path}/files/${ids[1]}`)).body).toEqual({
    id: ids[1],
    object: "vector_store.file.deleted",
    deleted: true,
  });
  expect(await found()).toEqual([ids[0]]);
  expect((await hal.ask("GET", `/v1/files/${ids[1]}`)).status).toBe(200);
  expect((await hal.ask("DELETE", `${path}/files/${ids[1]}`)).status).toBe(404);
});

test("a batch is made, looked at, listed and cancelled", async () => {
  const ida = await callerOf("knows", "ida");
  const ids = [await ida.upload("a.txt", "One."), await ida.upload("b.txt", "Two.")];
  const store = await ida.ask("POST", "/v1/vector_stores", {});
  const path = `/v1/vector_stores/${store.body.id}/file_batches`;
  const batch = await ida.ask("POST", path, { file_ids: [...ids, ids[0]], attributes: { a: true } });
  expect(batch.body).toMatchObject({
    id: expect.stringMatching(/^vsfb_[0-9a-z]{26}$/) as string,
    object: "vector_store.files_batch",
    vector_store_id: store.body.id,
    status: "in_progress",
    file_counts: { total: 2 },
  });
  await processed(ida, store.body.id);
  expect((await ida.ask("GET", `${path}/${batch.body.id}`)).body).toMatchObject({
    status: "completed",
    file_counts: { completed: 2, total: 2 },
  });
  const listed = await ida.ask("GET", `${path}/${batch.body.id}/files?order=asc`);
  expect(listed.body).toMatchObject({ data: [{ id: ids[0], attributes: { a: true } }, { id: ids[1] }] });
  const own = await ida.ask("POST", path, { files: [{ file_id: ids[1], attributes: { b: 1 } }] });
  expect((await ida.ask("POST", `${path}/${own.body.id}/cancel`)).body).toMatchObject({
    status: "cancelled",
  });
  expect((await ida.ask("GET", `${path}/vsfb_none`)).status).toBe(404);
  expect((await ida.ask("GET", `${path}/vsfb_none/files`)).status).toBe(404);
});

test.for<[string, object, string | null]>([
  ["/v1/vector_stores", { file_ids: ["file-1"] }, "file_ids"],
  ["/v1/vector_stores", { model: "x" }, "model"],
  ["/v1/vector_stores", { expires_after: { anchor: "created_at", days: 1 } }, "expires_after.anchor"],
  [
    "/v1/vector_stores",
    {
      chunking_strategy: {
        type: "static",
        static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 101 },
      },
    },
    "chunking_strategy.static.chunk_overlap_tokens",
  ],
  ["/files", { file_id: "f", attributes: { a: [] } }, "attributes.a"],
  ["/files", {}, "file_id"],
  ["/file_batches", {}, "file_ids"],
  ["/file_batches", { file_ids: ["f"], files: [{ file_id: "f" }] }, "files"],
  ["/search", {}, "query"],
  ["/search", { query: "  " }, "query"],
  ["/search", { query: "x", max_num_results: 51 }, "max_num_results"],
  ["/search", { query: "x", ranking_options: { score_threshold: 2 } }, "ranking_options.score_threshold"],
  ["/search", { query: "x", filters: { type: "like", key: "a", value: "b" } }, "filters.type"],
])("%s refuses a wrong body by name: %j", async ([path, body, param]) => {
  const lea = await callerOf("knows", "lea");
  const store = await lea.ask("POST", "/v1/vector_stores", {});
  const to = path.startsWith("/v1") ? path : `/v1/vector_stores/${store.body.id}${path}`;
  const refused = await lea.ask("POST", to, body);
  expect([refused.status, refused.body["error"]]).toEqual([
    param === "file_ids" && "file_ids" in body ? 404 : 400,
    expect.objectContaining({ param }),
  ]);
  await lea.ask("DELETE", `/v1/vector_stores/${store.body.id}`);
});
