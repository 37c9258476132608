/** `/v1/files` as a client sees it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { Library } from "../../durable-objects/library/library.ts";
import { libraryName, libraryVersion } from "../../src/shared/contracts/library.ts";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, formOf } from "./knowledge-fixture.ts";
import { holdsText } from "./stored-text.ts";

beforeAll(async () => {
  await putTenant("knows", {});
  await putTenant("small", {
    retrieval: { max_file_bytes: 2000, max_files: 2, max_total_bytes: 3000, max_vector_stores: 1 },
  });
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

test("an upload that is finished, and whose answer alone is lost, is a file: it is neither refused nor there twice", async () => {
  const ned = await callerOf("knows", "ned");
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const finished = Library.prototype.finishUpload;
  const lost = vi.spyOn(Library.prototype, "finishUpload").mockImplementation(async function (
    this: Library,
    message,
  ) {
    await finished.call(this, message);
    throw new Error("the connection is lost");
  });
  const sent = await ned.send("/v1/files", { method: "POST", body: formOf("once.txt", "zyzzyva") });
  expect(lost).toHaveBeenCalled();
  lost.mockRestore();
  expect([sent.status, await sent.json()]).toMatchObject([200, { filename: "once.txt", bytes: 7 }]);
  expect((await ned.ask("GET", "/v1/files")).body["data"]).toHaveLength(1);
});

test("who is erased in the middle of an upload is told to try again, and not that there is no such file", async () => {
  const kim = await callerOf("knows", "kim");
  const owner = { tenant: "knows", user: "kim" };
  const library = env.LIBRARY.getByName(libraryName(owner));
  const form =
    '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n' +
    '--b\r\nContent-Disposition: form-data; name="file"; filename="late.txt"\r\n\r\nzyzzyva';
  const bytes = (text: string) => new TextEncoder().encode(text);
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(bytes(form)),
    async pull(controller) {
      await library.erase({ v: libraryVersion, owner, jurisdiction: "none", closedUntilMs: 0 });
      controller.enqueue(bytes("\r\n--b--\r\n"));
      controller.close();
    },
  });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const late = await kim.send("/v1/files", { method: "POST", headers, body });
  expect([late.status, await late.json()]).toMatchObject([503, { error: { code: "service_unavailable" } }]);
  expect(await holdsText(library, "late.txt")).toBe(false);
  expect((await kim.ask("GET", "/v1/files")).body["data"]).toEqual([]);
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
