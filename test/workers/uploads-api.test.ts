/** `/v1/uploads` as a client sees it. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { bucketKey } from "../../durable-objects/library/file-bucket.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { putTenant } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { holdsText } from "./stored-text.ts";
import { announced, begun, complete, contentOf, library, part, sendPart } from "./upload-fixture.ts";

beforeAll(async () => {
  await putTenant("uploads", {});
  await putTenant("uploads-eu", { jurisdiction: "eu" });
  await putTenant("uploads-small", {
    retrieval: { max_file_bytes: 2000, max_files: 2, max_total_bytes: 3000 },
  });
});

test("a file is announced, sent in parts in any order, put together in the order that is named, and is then like any other", async () => {
  const ann = await callerOf("uploads", "ann");
  const made = await ann.ask("POST", "/v1/uploads", {
    ...announced,
    bytes: 12,
    filename: "a/b/long.txt",
    expires_after: { anchor: "created_at", seconds: 3600 },
  });
  const { id, created_at: createdAt } = made.body as unknown as { id: string; created_at: number };
  expect(made.body).toMatchObject({ filename: "long.txt", expires_at: createdAt + 3600, visibility: "user" });
  // Also as a plain field, without a name, as OpenAI's own example has it.
  const plain = await sendPart(ann, id, " world");
  expect(plain.status).toBe(200);
  const [first, unused] = [await part(ann, id, "Hello,"), await part(ann, id, "never")];
  const md5 = "BC6E6F16B8A077EF5FBC8D59D0B931B9";
  const done = await complete(ann, id, [first, plain.body.id], { md5 });
  expect(done).toMatchObject({
    status: 200,
    body: {
      id,
      status: "completed",
      file: { object: "file", bytes: 12, filename: "long.txt", purpose: "user_data" },
    },
  });
  const { file } = done.body as unknown as { file: { id: string; created_at: number; expires_at: number } };
  expect(file.expires_at).toBe(file.created_at + 3600);
  expect(await contentOf(ann, file.id)).toBe("Hello, world");
  // Asked for again in the same way, the same; in another way, refused.
  expect(await complete(ann, id, [first, plain.body.id], { md5 })).toEqual(done);
  expect(await complete(ann, id, [plain.body.id, first])).toMatchObject({ status: 409 });
  expect(await ann.ask("POST", `/v1/uploads/${id}/cancel`)).toMatchObject({ status: 409 });
  expect(await sendPart(ann, id, "x")).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining("'completed'") as string } },
  });
  expect((await ann.ask("GET", "/v1/files")).body["data"]).toEqual([file]);
  await eventually(async () => {
    for (const gone of [first, unused, plain.body.id])
      expect(await env.FILES?.head(bucketKey(gone))).toBeNull();
  });
  const { id: store } = (await ann.ask("POST", "/v1/vector_stores", { file_ids: [file.id] })).body;
  expect(store).toMatch(/^vs_/);
  expect((await ann.ask("DELETE", `/v1/files/${file.id}`)).status).toBe(200);
  expect(await complete(ann, id, [first, plain.body.id], { md5 })).toMatchObject({ body: { file: null } });
});

test("an MD5 that differs completes nothing, says which it is, and the upload goes on", async () => {
  const bob = await callerOf("uploads", "bob");
  const id = await begun(bob, 5);
  const only = await part(bob, id, "Hello");
  expect(await complete(bob, id, [only], { md5: "0".repeat(32) })).toMatchObject({
    status: 400,
    body: {
      error: { param: "md5", message: expect.stringContaining("8b1a9953c4611296a827abf8c47804d7") as string },
    },
  });
  expect((await bob.ask("GET", "/v1/files")).body["data"]).toEqual([]);
  expect(await complete(bob, id, [only], { md5: "8b1a9953c4611296a827abf8c47804d7" })).toMatchObject({
    status: 200,
  });
});

test.for<[string, object, string]>([
  ["no bytes", { bytes: 0 }, "bytes"],
  ["half a byte", { bytes: 1.5 }, "bytes"],
  ["more than a file may have", { bytes: 2001 }, "bytes"],
  ["no name", { filename: "" }, "filename"],
  ["a name of a line", { filename: "a\nb" }, "filename"],
  ["a purpose that has no use here", { purpose: "fine-tune" }, "purpose"],
  ["no type", { mime_type: null }, "mime_type"],
  [
    "an expiry that is too short",
    { expires_after: { anchor: "created_at", seconds: 60 } },
    "expires_after.seconds",
  ],
  ["a field that is not known", { model: "m" }, "model"],
])("an upload of %s is refused by name", async ([, fields, param]) => {
  const cem = await callerOf("uploads-small", "cem");
  expect(await cem.ask("POST", "/v1/uploads", { ...announced, bytes: 10, ...fields })).toMatchObject({
    status: 400,
    body: { error: { param } },
  });
});

test("a part that is empty, missing, too long or of nothing is refused by name, and no byte of it stays", async () => {
  const dov = await callerOf("uploads-small", "dov");
  const id = await begun(dov, 7);
  expect(await sendPart(dov, id, new File([""], "upload"))).toMatchObject({
    status: 400,
    body: { error: { param: "data" } },
  });
  const form = new FormData();
  form.append("file", new File(["zyzzyva"], "a.txt"));
  const other = await dov.send(`/v1/uploads/${id}/parts`, { method: "POST", body: form });
  expect([other.status, await other.json()]).toMatchObject([400, { error: { param: "file" } }]);
  expect(await dov.ask("POST", `/v1/uploads/${id}/parts`, { data: "x" })).toMatchObject({ status: 415 });
  expect(await sendPart(dov, id, "zyzzyvas")).toMatchObject({
    status: 400,
    body: { error: { param: "data", message: expect.stringContaining("announced with 7 bytes") as string } },
  });
  const only = await part(dov, id, "zyzzyva");
  for (const [ids, param, status] of [
    [[], "part_ids", 400],
    [[only, only], "part_ids", 400],
    [["part_none"], "part_ids[0]", 404],
    [[only, `${only.slice(0, -1)}0`], "part_ids[1]", 404],
  ] as const)
    expect(await complete(dov, id, ids)).toMatchObject({ status, body: { error: { param } } });
  const longer = await begun(dov, 8);
  const half = await part(dov, longer, "zyzzyva");
  expect(await complete(dov, longer, [half])).toMatchObject({
    status: 400,
    body: { error: { param: "part_ids", message: expect.stringContaining("7 bytes together") as string } },
  });
  expect(await complete(dov, id, [half])).toMatchObject({ status: 404 });
});

test("parts fill what a user may have, and a cancelled upload gives it back at once", async () => {
  const eva = await callerOf("uploads-small", "eva");
  const id = await begun(eva, 2000);
  await part(eva, id, "x".repeat(1500));
  await part(eva, id, "x".repeat(1000));
  const refused = await eva.ask("POST", "/v1/uploads", { ...announced, bytes: 2000 });
  expect(refused).toMatchObject({ status: 400, body: { error: { param: "bytes" } } });
  expect(await sendPart(eva, id, "x".repeat(1999))).toMatchObject({
    status: 400,
    body: { error: { param: "data", message: expect.stringContaining("3000 bytes") as string } },
  });
  for (let asked = 0; asked < 2; asked += 1)
    expect(await eva.ask("POST", `/v1/uploads/${id}/cancel`)).toMatchObject({
      status: 200,
      body: { id, status: "cancelled", file: null },
    });
  await begun(eva, 2000);
});

test("another's upload is as unknown as none, a whole tenant's is its admins', and erasures reach all", async () => {
  const admin = await callerOf("uploads", "root", { scope: "tenant:admin" });
  const [fay, gus] = [await callerOf("uploads", "fay"), await callerOf("uploads", "gus")];
  const id = await begun(fay, 7);
  const only = await part(fay, id, "zyzzyva");
  for (const path of [`/v1/uploads/${id}`, "/v1/uploads/upload_none"]) {
    expect(await sendPart(gus, path.slice("/v1/uploads/".length), "x")).toMatchObject({ status: 404 });
    expect(await gus.ask("POST", `${path}/complete`, { part_ids: [only] })).toMatchObject({ status: 404 });
    expect(await gus.ask("POST", `${path}/cancel`)).toMatchObject({ status: 404 });
  }
  const all = "/v1/uploads?visibility=tenant";
  expect((await gus.ask("POST", all, { ...announced, bytes: 4 })).status).toBe(403);
  const shared = (await admin.ask("POST", all, { ...announced, bytes: 4 })).body.id;
  const ofAll = await part(admin, shared, "gnus");
  expect((await complete(gus, shared, [ofAll])).status).toBe(403);
  const { file } = (await complete(admin, shared, [ofAll])).body as unknown as { file: { id: string } };
  expect(await contentOf(gus, file.id)).toBe("gnus");
  expect((await admin.ask("DELETE", "/admin/knowledge?user=fay")).body).toMatchObject({ pending: 0 });
  expect(await env.FILES?.head(bucketKey(only))).toBeNull();
  expect(await holdsText(library("uploads", "fay"), "long.txt")).toBe(false);
  expect(await complete(fay, id, [only])).toMatchObject({ status: 404 });
});

test("parts and file of a tenant that lives in the EU are named so, which chooses their bucket", async () => {
  const hal = await callerOf("uploads-eu", "hal");
  const id = await begun(hal, 7);
  const only = await part(hal, id, "zyzzyva");
  const { file } = (await complete(hal, id, [only])).body as unknown as { file: { id: string } };
  for (const name of [id, only, file.id]) expect(objectOfId(name)?.jurisdiction).toBe("eu");
});
