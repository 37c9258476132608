import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { libraryName } from "../../src/shared/contracts/library.ts";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, formOf, processed } from "./knowledge-fixture.ts";
import { holdsText } from "./stored-text.ts";

beforeAll(async () => {
  await putTenant("knows", {});
  await putTenant("small", {
    retrieval: { max_file_bytes: 2000, max_files: 2, max_total_bytes: 3000, max_vector_stores: 1 },
  });
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

test("a list of files goes page by page, by purpose, in either order", async () => {
  const bea = await callerOf("knows", "bea");
  const ids: string[] = [];
  for (const purpose of ["assistants", "user_data", "assistants"])
    ids.push(await bea.upload("a.txt", `text of ${ids.length}`, { purpose }));
  const list = async (query: string) => (await bea.ask("GET", `/v1/files${query}`)).body;
  expect(await list("?order=asc&limit=2")).toMatchObject({
    object: "list",
    data: [{ id: ids[0] }, { id: ids[1] }],
    first_id: ids[0],
    last_id: ids[1],
    has_more: true,
  });
  expect(await list(`?order=asc&after=${ids[1]}`)).toMatchObject({ data: [{ id: ids[2] }], has_more: false });
  expect(await list("?purpose=user_data")).toMatchObject({ data: [{ id: ids[1], purpose: "user_data" }] });
  expect(await list("?purpose=batch")).toMatchObject({ data: [] });
  for (const [query, param] of [
    ["?limit=0", "limit"],
    ["?order=up", "order"],
    ["?after=file-none", "after"],
    ["?visibility=all", "visibility"],
  ])
    expect(await bea.ask("GET", `/v1/files${query}`)).toMatchObject({
      status: 400,
      body: { error: { param } },
    });
});

test("an upload keeps its name, type and expiry, wherever the fields stand in the form", async () => {
  const cem = await callerOf("knows", "cem");
  const form = new FormData();
  form.append("file", new File(["x"], 'folder/Größe "1".md', { type: "text/markdown" }));
  form.append("purpose", "user_data");
  form.append("expires_after[anchor]", "created_at");
  form.append("expires_after[seconds]", "3600");
  const made = await cem.send("/v1/files", { method: "POST", body: form });
  const file = await made.json<{ id: string; created_at: number }>();
  expect(file).toMatchObject({ filename: 'Größe "1".md', expires_at: file.created_at + 3600 });
  const content = await cem.send(`/v1/files/${file.id}/content`);
  expect(content.headers.get("content-disposition")).toBe(
    "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.md",
  );
  await content.body?.cancel();
});

const noFile = { purpose: "assistants" };
test.for<[string, Record<string, string>, string | null, string | null]>([
  ["no file", noFile, null, "file"],
  ["an empty file", noFile, "", "file"],
  ["no purpose", {}, "x", "purpose"],
  ["a purpose that has no use here", { purpose: "fine-tune" }, "x", "purpose"],
  ["half an expiry", { ...noFile, "expires_after[seconds]": "3600" }, "x", "expires_after.anchor"],
  [
    "an expiry that is too short",
    { ...noFile, "expires_after[anchor]": "created_at", "expires_after[seconds]": "60" },
    "x",
    "expires_after.seconds",
  ],
  ["a field that is not known", { ...noFile, model: "m" }, "x", "model"],
])("%s is refused by name, and nothing is kept", async ([, fields, text, param]) => {
  const dov = await callerOf("knows", "dov");
  const form = new FormData();
  if (text !== null) form.append("file", new File([text], "a.txt"));
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = await dov.send("/v1/files", { method: "POST", body: form });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param } });
  expect((await dov.ask("GET", "/v1/files")).body["data"]).toEqual([]);
  const library = env.LIBRARY.getByName(libraryName({ tenant: "knows", user: "dov" }));
  expect(await holdsText(library, "a.txt")).toBe(false);
});

test("a body that is no form is refused, and one that ends in the middle keeps nothing", async () => {
  const eva = await callerOf("knows", "eva");
  expect(await eva.ask("POST", "/v1/files", { file: "x" })).toMatchObject({ status: 415 });
  const body = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf a fi';
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const cut = await eva.send("/v1/files", { method: "POST", headers, body });
  expect([cut.status, await cut.json()]).toMatchObject([400, { error: { code: "invalid_value" } }]);
  expect((await eva.ask("GET", "/v1/files")).body["data"]).toEqual([]);
});

test("of a client that leaves in the middle of its upload nothing is kept", async () => {
  const mia = await callerOf("knows", "mia");
  const begin = '--b\r\nContent-Disposition: form-data; name="file"; filename="secret.txt"\r\n\r\nzyzzyva';
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
    pull: (controller) => controller.error(new Error("gone")),
  });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const left = await mia.send("/v1/files", { method: "POST", headers, body });
  expect(left.status).toBe(408);
  const library = env.LIBRARY.getByName(libraryName({ tenant: "knows", user: "mia" }));
  expect(await holdsText(library, "secret.txt")).toBe(false);
  expect((await mia.ask("GET", "/v1/files")).body["data"]).toEqual([]);
});

test("what a user may have is bounded: bytes of a file, files, bytes of all, stores", async () => {
  const fay = await callerOf("small", "fay");
  const upload = async (text: string) => {
    const response = await fay.send("/v1/files", { method: "POST", body: formOf("a.txt", text) });
    return { status: response.status, body: await response.json<{ error?: { message: string } }>() };
  };
  expect(await upload("x".repeat(2001))).toMatchObject({ status: 413 });
  expect(await upload("x".repeat(30_000))).toMatchObject({ status: 413 });
  expect((await upload("x".repeat(2000))).status).toBe(200);
  const second = await upload("x".repeat(1500));
  expect(second).toMatchObject({ status: 400, body: { error: { param: "file" } } });
  expect(second.body.error?.message).toContain("3000 bytes");
  expect((await upload("small")).status).toBe(200);
  expect((await upload("small")).body.error?.message).toContain("2 files");
  expect((await fay.ask("POST", "/v1/vector_stores", {})).status).toBe(200);
  expect(await fay.ask("POST", "/v1/vector_stores", {})).toMatchObject({ status: 400 });
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

test("another's file and store answer as unknown ones do, whatever is asked", async () => {
  const jan = await callerOf("knows", "jan");
  const fileId = await jan.upload("a.txt", "Mine.");
  const { id: storeId } = (await jan.ask("POST", "/v1/vector_stores", { file_ids: [fileId] })).body;
  const none = { file: "file-none", store: "vs_none" };
  const routes = (file: string, store: string) =>
    [
      ["GET", `/v1/files/${file}`],
      ["GET", `/v1/files/${file}/content`],
      ["DELETE", `/v1/files/${file}`],
      ["GET", `/v1/vector_stores/${store}`],
      ["POST", `/v1/vector_stores/${store}`, { name: "x" }],
      ["DELETE", `/v1/vector_stores/${store}`],
      ["POST", `/v1/vector_stores/${store}/search`, { query: "mine" }],
      ["GET", `/v1/vector_stores/${store}/files`],
      ["GET", `/v1/vector_stores/${store}/files/${file}`],
      ["GET", `/v1/vector_stores/${store}/files/${file}/content`],
      ["POST", `/v1/vector_stores/${store}/files/${file}`, { attributes: {} }],
      ["DELETE", `/v1/vector_stores/${store}/files/${file}`],
    ] as const;
  for (const eve of [await callerOf("knows", "eve"), await callerOf("small", "jan")]) {
    const unknown = routes(none.file, none.store);
    for (const [at, [method, path, body]] of routes(fileId, storeId).entries()) {
      const asked = await eve.ask(method, path, body);
      const [, unknownPath = ""] = unknown[at] ?? [];
      expect(asked.status).toBe(404);
      expect(asked).toEqual(await eve.ask(method, unknownPath, body));
    }
    const own = await eve.ask("POST", "/v1/vector_stores", {});
    const attach = await eve.ask("POST", `/v1/vector_stores/${own.body.id}/files`, { file_id: fileId });
    expect(attach).toMatchObject({ status: 404, body: { error: { param: "file_id" } } });
    const made = await eve.ask("POST", "/v1/vector_stores", { file_ids: [fileId] });
    expect(made).toMatchObject({ status: 404, body: { error: { param: "file_ids" } } });
    await eve.ask("DELETE", `/v1/vector_stores/${own.body.id}`);
  }
  expect((await jan.ask("GET", `/v1/files/${fileId}`)).status).toBe(200);
});

test("what an admin makes for the whole tenant all its users read and search, and admins alone change", async () => {
  const admin = await callerOf("knows", "root", { scope: "tenant:admin" });
  const kim = await callerOf("knows", "kim");
  const form = formOf("rules.md", "Nobody feeds the gryphon.");
  expect((await kim.send("/v1/files?visibility=tenant", { method: "POST", body: form })).status).toBe(403);
  expect((await kim.ask("POST", "/v1/vector_stores", { visibility: "tenant" })).status).toBe(403);
  const upload = await admin.send("/v1/files?visibility=tenant", { method: "POST", body: form });
  const { id: fileId } = await upload.json<{ id: string }>();
  const store = await admin.ask("POST", "/v1/vector_stores", { visibility: "tenant", file_ids: [fileId] });
  expect(store.body).toMatchObject({ visibility: "tenant" });
  await processed(admin, store.body.id);
  const path = `/v1/vector_stores/${store.body.id}`;
  const found = await kim.ask("POST", `${path}/search`, { query: "gryphon" });
  expect(found.body["data"]).toMatchObject([{ file_id: fileId }]);
  expect((await kim.ask("GET", `/v1/files/${fileId}`)).body).toMatchObject({ visibility: "tenant" });
  expect((await kim.ask("GET", "/v1/vector_stores")).body["data"]).toEqual([]);
  expect((await kim.ask("GET", "/v1/vector_stores?visibility=tenant")).body["data"]).toMatchObject([
    { id: store.body.id },
  ]);
  for (const [method, to, body] of [
    ["DELETE", `/v1/files/${fileId}`],
    ["DELETE", path],
    ["POST", path, { name: "mine" }],
    ["POST", `${path}/files/${fileId}`, { attributes: {} }],
    ["DELETE", `${path}/files/${fileId}`],
  ] as const)
    expect(await kim.ask(method, to, body)).toMatchObject({
      status: 403,
      body: { error: { code: "insufficient_scope" } },
    });
  // A file is read by all who may read the store that it is in: neither goes into the other's.
  const own = await kim.upload("a.txt", "Mine.");
  const ownStore = await kim.ask("POST", "/v1/vector_stores", {});
  const mixed = await kim.ask("POST", `/v1/vector_stores/${ownStore.body.id}/files`, { file_id: fileId });
  expect(mixed).toMatchObject({ status: 400, body: { error: { param: "file_id" } } });
  expect((await admin.ask("POST", `${path}/files`, { file_id: own })).status).toBe(404);
  const other = await callerOf("small", "kim");
  expect((await other.ask("POST", `${path}/search`, { query: "gryphon" })).status).toBe(404);
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
