/** Uploads in parts where a part, or the completion, breaks off or is crossed by something else. */
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { bucketKey } from "../../durable-objects/library/file-bucket.ts";
import { Library } from "../../durable-objects/library/library.ts";
import { putTenant, settled } from "./edge-under-test.ts";
import { callerOf, type Caller } from "./knowledge-fixture.ts";
import { holdsText } from "./stored-text.ts";
import { begun, complete, contentOf, library, part } from "./upload-fixture.ts";

beforeAll(async () => {
  await putTenant("uploads", {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

test("a client that leaves in the middle of a part leaves none of it", async () => {
  const ida = await callerOf("uploads", "ida");
  const id = await begun(ida, 70);
  const begin = '--b\r\nContent-Disposition: form-data; name="data"; filename="upload"\r\n\r\nzyzzyva';
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(begin)),
    pull: (controller) => controller.error(new Error("gone")),
  });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const left = await ida.send(`/v1/uploads/${id}/parts`, { method: "POST", headers, body });
  expect(left.status).toBe(408);
  expect(await holdsText(library("uploads", "ida"), "part_")).toBe(false);
});

test("a completion whose answer is lost is the same file when it is asked for again, and nothing is there twice", async () => {
  const jon = await callerOf("uploads", "jon");
  const id = await begun(jon, 7);
  const only = await part(jon, id, "zyzzyva");
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const completed = Library.prototype.completeUpload;
  vi.spyOn(Library.prototype, "completeUpload").mockImplementationOnce(async function (
    this: Library,
    message,
  ) {
    await completed.call(this, message);
    throw new Error("the connection is lost");
  });
  expect(await complete(jon, id, [only])).toMatchObject({ status: 503 });
  const again = await complete(jon, id, [only]);
  expect(again).toMatchObject({ status: 200, body: { status: "completed" } });
  const { file } = again.body as unknown as { file: { id: string } };
  expect((await jon.ask("GET", "/v1/files")).body["data"]).toMatchObject([{ id: file.id }]);
  expect(await contentOf(jon, file.id)).toBe("zyzzyva");
});

test("a completion that dies before its end leaves the upload as it was, and the next one makes the file", async () => {
  const kay = await callerOf("uploads", "kay");
  const id = await begun(kay, 7);
  const only = await part(kay, id, "zyzzyva");
  const tried: string[] = [];
  vi.spyOn(Library.prototype, "completeUpload").mockImplementationOnce(async ({ fileId }) => {
    tried.push(fileId);
    throw new Error("the object is gone");
  });
  expect(await complete(kay, id, [only])).toMatchObject({ status: 503 });
  expect((await kay.ask("GET", "/v1/files")).body["data"]).toEqual([]);
  expect(await env.FILES?.head(bucketKey(tried[0] ?? ""))).toBeNull();
  expect(await complete(kay, id, [only])).toMatchObject({ status: 200, body: { status: "completed" } });
});

test("a part whose bytes are not there, or not all, makes no file", async () => {
  const lou = await callerOf("uploads", "lou");
  const id = await begun(lou, 7);
  const only = await part(lou, id, "zyzzyva");
  await env.FILES?.put(bucketKey(only), "zyzzyv");
  expect(await complete(lou, id, [only])).toMatchObject({ status: 503 });
  await env.FILES?.delete(bucketKey(only));
  expect(await complete(lou, id, [only])).toMatchObject({ status: 503 });
  expect((await lou.ask("GET", "/v1/files")).body["data"]).toEqual([]);
  await env.FILES?.put(bucketKey(only), "zyzzyva");
  expect(await complete(lou, id, [only])).toMatchObject({ status: 200 });
});

test("an upload that is cancelled while its parts are put together becomes no file", async () => {
  const mia = await callerOf("uploads", "mia");
  const id = await begun(mia, 7);
  const parts = [await part(mia, id, "zyz"), await part(mia, id, "zyva")];
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const stands = Library.prototype.claimStanding;
  let asked = 0;
  vi.spyOn(Library.prototype, "claimStanding").mockImplementation(function (this: Library, message) {
    asked += 1;
    if (asked === 2) void this.cancelUpload({ ...message });
    return stands.call(this, message);
  });
  const crossed = await complete(mia, id, parts);
  expect(crossed).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining("while") } },
  });
  // The upload, its parts, and the completion that has read them.
  await expect.poll(() => requests(mia)).toBe(4);
  expect(await complete(mia, id, parts)).toMatchObject({ status: 409 });
  await expect.poll(() => requests(mia)).toBe(4);
  expect((await mia.ask("GET", "/v1/files")).body["data"]).toEqual([]);
});

test("an upload whose parts go while they are read was cancelled, and no part of ours has failed", async () => {
  const pia = await callerOf("uploads", "pia");
  const id = await begun(pia, 7);
  const parts = [await part(pia, id, "zyz"), await part(pia, id, "zyva")];
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const stands = Library.prototype.claimStanding;
  let asked = 0;
  vi.spyOn(Library.prototype, "claimStanding").mockImplementation(function (this: Library, message) {
    asked += 1;
    const answer = stands.call(this, message);
    if (asked === 2) void this.cancelUpload({ ...message });
    return answer;
  });
  await env.FILES?.delete(bucketKey(parts[1] ?? ""));
  expect(await complete(pia, id, parts)).toMatchObject({ status: 409 });
  expect(asked).toBe(3);
  await expect.poll(() => requests(pia)).toBe(4);
});

test("completions that take each other's place count each, since each has read the parts", async () => {
  const nia = await callerOf("uploads", "nia");
  const id = await begun(nia, 7);
  const parts = [await part(nia, id, "zyz"), await part(nia, id, "zyva")];
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const stands = Library.prototype.claimStanding;
  let asked = 0;
  vi.spyOn(Library.prototype, "claimStanding").mockImplementation(function (this: Library, message) {
    asked += 1;
    if (asked === 2) {
      const another = { ...message, fileId: `${message.fileId}-later`, storedIn: "bucket" as const };
      void this.claimUpload({ ...another, partIds: parts, fingerprint: "later" });
    }
    return stands.call(this, message);
  });
  expect(await complete(nia, id, parts)).toMatchObject({ status: 409 });
  await expect.poll(() => requests(nia)).toBe(4);
});

test("a part that comes while its upload is cancelled counts, and leaves nothing", async () => {
  const oda = await callerOf("uploads", "oda");
  const id = await begun(oda, 70);
  // oxlint-disable-next-line typescript/unbound-method -- called on the object below
  const finished = Library.prototype.finishUploadPart;
  vi.spyOn(Library.prototype, "finishUploadPart").mockImplementationOnce(function (this: Library, message) {
    void this.cancelUpload({ ...message, uploadId: id });
    return finished.call(this, message);
  });
  const form = new FormData();
  form.append("data", new File(["zyzzyva"], "upload"));
  const late = await oda.send(`/v1/uploads/${id}/parts`, { method: "POST", body: form });
  expect(late.status).toBe(409);
  expect(await late.json()).toMatchObject({
    error: { message: expect.stringContaining("while the part came") },
  });
  await expect.poll(() => requests(oda)).toBe(2);
  expect(await holdsText(library("uploads", "oda"), "zyzzyva")).toBe(false);
});

async function requests(caller: Caller): Promise<unknown> {
  await settled();
  const { user } = (await caller.ask("GET", "/v1/usage")).body as { user?: { used?: { requests?: number } } };
  return user?.used?.requests;
}
