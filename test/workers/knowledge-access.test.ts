/** Whose files and vector stores may a caller read, and change? */
import { beforeAll, expect, test } from "vitest";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, formOf, processed } from "./knowledge-fixture.ts";

beforeAll(async () => {
  await putTenant("knows", {});
  await putTenant("small", {});
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
