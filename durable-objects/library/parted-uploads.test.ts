/** Uploads in parts: what counts, what becomes a file, and what is left of it when it is over, whoever is cut off when. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { holdsText } from "../../test/workers/stored-text.ts";
import { plenty, UploadProbe } from "../../test/workers/upload-probe.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** As if so much time had passed. */
async function age(probe: UploadProbe, ms: number): Promise<void> {
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE upload SET created_ms = created_ms - ?", ms);
    storage.sql.exec("UPDATE file SET created_ms = created_ms - ? WHERE ready = 0", ms);
  });
}

async function ring(probe: UploadProbe): Promise<void> {
  for (let rings = 0; rings < 20 && (await probe.count("duty")) !== 0; rings += 1)
    await runDurableObjectAlarm(probe.stub);
  expect(await probe.count("duty")).toBe(0);
}

test.for(["bucket", "library"] as const)(
  "an upload whose parts lie in the %s becomes one file, once, whatever is asked twice and whenever the object is evicted",
  async (storedIn) => {
    const probe = new UploadProbe(storedIn);
    const uploadId = await probe.upload(12);
    const [second, first] = [await probe.part(uploadId, " world"), await probe.part(uploadId, "Hello,")];
    const left = await probe.part(uploadId, "zyzzyva");
    expect(await probe.finishPart(first, 6)).toMatchObject({ result: "ok" });
    await evictDurableObject(probe.stub);
    const fileId = await probe.id("file");
    for (let asked = 0; asked < 2; asked += 1)
      expect(await probe.claim(uploadId, fileId, [first, second])).toEqual({
        result: "ok",
        parts: [first, second].map((partId) => ({ partId, bytes: 6, storedIn })),
        announced: expect.objectContaining({ filename: "long.txt", bytes: 12 }) as object,
      });
    expect(await probe.ids()).toEqual([]);
    expect(await probe.text(first)).toBe("Hello,");
    await probe.write(fileId, "Hello, world", storedIn);
    await evictDurableObject(probe.stub);
    const done = {
      state: "completed",
      file: { id: fileId, bytes: 12, filename: "long.txt", expiresMs: null },
    };
    for (let asked = 0; asked < 2; asked += 1)
      expect(await probe.complete(uploadId, fileId)).toMatchObject({ result: "ok", upload: done });
    expect(await probe.claim(uploadId, await probe.id("file"), [first, second])).toMatchObject({
      result: "completed",
      upload: done,
    });
    // Another wish than the one that came true.
    expect(await probe.claim(uploadId, await probe.id("file"), [second, first])).toEqual({
      result: "over",
      state: "completed",
    });
    expect(await probe.cancel(uploadId)).toEqual({ result: "over", state: "completed" });
    await ring(probe);
    expect(await probe.ids()).toEqual([fileId]);
    expect(await probe.text(fileId)).toBe("Hello, world");
    for (const part of [first, second, left]) {
      expect(await probe.isInBucket(part)).toBe(false);
      expect(await probe.finishPart(part, 6)).toEqual({ result: "unknown" });
    }
    expect(await probe.count("upload_part")).toBe(0);
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
  },
);

test("parts count by their bytes from the first one on, an upload as one file, and both no more when it is over", async () => {
  const probe = new UploadProbe();
  const limits = { maxFiles: 2, maxTotalBytes: 100 };
  const { uploadId } = await probe.create(60, limits);
  const begin = async (bytes: number) =>
    probe.beginPart(uploadId, await probe.id("uploadPart"), bytes, limits);
  expect((await probe.create(101, limits)).created).toEqual({ result: "full", limit: "bytes", most: 100 });
  const held = await probe.id("uploadPart");
  for (let asked = 0; asked < 2; asked += 1)
    expect(await probe.beginPart(uploadId, held, 70, limits)).toEqual({
      result: "ok",
      roomBytes: 60,
      announcedBytes: 60,
    });
  // Bytes that are on their way count, and those of a part that is sent again as well.
  expect(await probe.begin(await probe.id("file"), 100, "bucket", limits)).toEqual({
    result: "ok",
    roomBytes: 40,
  });
  expect(await begin(1)).toEqual({ result: "full", limit: "bytes", most: 100 });
  expect((await probe.create(1, limits)).created).toEqual({ result: "full", limit: "files", most: 2 });
  expect(await probe.begin(await probe.id("file"), 1, "bucket", limits)).toMatchObject({ limit: "files" });
  await probe.finishPart(held, 50);
  expect(await begin(60)).toMatchObject({ result: "ok", roomBytes: 10 });
  expect(await probe.cancel(uploadId)).toMatchObject({ result: "ok", upload: { state: "cancelled" } });
  expect(await probe.begin(await probe.id("file"), 100, "bucket", limits)).toEqual({
    result: "ok",
    roomBytes: 60,
  });
});

test("what is put together takes no room beside its parts, and neither is there too much room when it is a file", async () => {
  const probe = new UploadProbe();
  const limits = { maxFiles: 10, maxTotalBytes: 10 };
  const { uploadId } = await probe.create(10, limits);
  const part = await probe.part(uploadId, "0123456789");
  const fileId = await probe.id("file");
  expect(await probe.claim(uploadId, fileId, [part])).toMatchObject({ result: "ok" });
  await probe.write(fileId, "0123456789", "bucket");
  expect(await probe.complete(uploadId, fileId)).toMatchObject({ result: "ok" });
  expect(await probe.begin(await probe.id("file"), 1, "bucket", limits)).toMatchObject({ limit: "bytes" });
});

test("an upload has a thousand parts at most", async () => {
  const probe = new UploadProbe();
  const uploadId = await probe.upload(5000);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    for (let at = 0; at < 1000; at += 1)
      storage.sql.exec("INSERT INTO upload_part VALUES (?, ?, 0, 0)", `part_${at}`, uploadId);
  });
  expect(await probe.beginPart(uploadId, await probe.id("uploadPart"), 1)).toEqual({
    result: "full",
    limit: "parts",
    most: 1000,
  });
});

test.for(["bucket", "library"] as const)(
  "an hour after its making an upload whose parts lie in the %s is over, and the alarm erases them; a day after that nobody knows it",
  async (storedIn) => {
    const probe = new UploadProbe(storedIn);
    const uploadId = await probe.upload(7);
    const part = await probe.part(uploadId, "zyzzyva");
    const fileId = await probe.id("file");
    await probe.claim(uploadId, fileId, [part]);
    await probe.write(fileId, "zyzzyva", storedIn);
    await age(probe, 3_600_000);
    // The alarm may be late.
    const over = { result: "over", state: "expired" };
    expect(await probe.complete(uploadId, fileId)).toEqual(over);
    expect(await probe.beginPart(uploadId, await probe.id("uploadPart"), 1)).toEqual(over);
    expect(await probe.cancel(uploadId)).toEqual(over);
    expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
    await ring(probe);
    for (const id of [part, fileId]) expect(await probe.isInBucket(id)).toBe(false);
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    for (const table of ["file", "part", "upload_part"])
      expect([table, await probe.count(table)]).toEqual([table, 0]);
    expect(await probe.claim(uploadId, fileId, [part])).toEqual(over);
    await age(probe, 86_400_000);
    expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
    expect(await probe.cancel(uploadId)).toEqual({ result: "unknown" });
    expect(await holdsText(probe.stub, "long.txt")).toBe(false);
  },
);

test("whoever puts an upload together later takes the place of whoever did before, of whose bytes nothing stays", async () => {
  const probe = new UploadProbe();
  const uploadId = await probe.upload(7);
  const part = await probe.part(uploadId, "zyzzyva");
  const [first, second] = [await probe.id("file"), await probe.id("file")];
  await probe.claim(uploadId, first, [part]);
  await probe.write(first, "zyzzyva", "bucket");
  await probe.claim(uploadId, second, [part]);
  const standing = (fileId: string) => probe.stub.claimStanding({ ...probe.message, uploadId, fileId });
  expect([await standing(first), await standing(second)]).toEqual([{ result: "unknown" }, { result: "ok" }]);
  await ring(probe);
  expect(await probe.isInBucket(first)).toBe(false);
  // The first goes on all the same, and its bytes come once more.
  await probe.write(first, "zyzzyva", "bucket");
  expect(await probe.complete(uploadId, first)).toEqual({ result: "unknown" });
  expect(await probe.drop(first)).toEqual({ result: "deleted" });
  expect(await probe.isInBucket(first)).toBe(false);
  await probe.write(second, "zyzzyva", "bucket");
  expect(await probe.complete(uploadId, second)).toMatchObject({ result: "ok" });
  expect(await probe.drop(second)).toEqual({ result: "unknown" });
  expect(await probe.ids()).toEqual([second]);
});

test("a part whose upload is cancelled, or whose owner is erased, while its bytes come leaves none of them", async () => {
  for (const end of ["cancel", "erase"] as const) {
    const probe = new UploadProbe();
    const uploadId = await probe.upload(7);
    const partId = await probe.id("uploadPart");
    await probe.beginPart(uploadId, partId, 7);
    await (end === "cancel" ? probe.cancel(uploadId) : probe.erase());
    await probe.write(partId, "zyzzyva", "bucket");
    expect(await probe.finishPart(partId, 7)).toEqual({ result: "unknown" });
    expect(await probe.drop(partId)).toEqual({ result: "deleted" });
    expect(await probe.isInBucket(partId)).toBe(false);
    expect(await probe.cancel(uploadId)).toMatchObject({ result: end === "cancel" ? "ok" : "unknown" });
  }
});

test("a part that is given up is none, and the upload goes on without it", async () => {
  const probe = new UploadProbe();
  const uploadId = await probe.upload(7);
  const half = await probe.id("uploadPart");
  await probe.beginPart(uploadId, half, 7);
  const unknown = { result: "part-unknown", partId: half };
  expect(await probe.claim(uploadId, await probe.id("file"), [half])).toEqual(unknown);
  expect(await probe.drop(half)).toEqual({ result: "deleted" });
  expect(await probe.claim(uploadId, await probe.id("file"), [half])).toEqual(unknown);
  const other = await probe.part(await probe.upload(7), "zyzzyva");
  expect(await probe.claim(uploadId, await probe.id("file"), [other])).toMatchObject({
    result: "part-unknown",
  });
  const whole = await probe.part(uploadId, "zyzzy");
  expect(await probe.claim(uploadId, await probe.id("file"), [whole])).toEqual({
    result: "wrong-length",
    bytes: 5,
    announcedBytes: 7,
  });
});

test("an erasure takes the uploads that were made by then, with all that came of them but files, and a later one stays", async () => {
  const probe = new UploadProbe();
  const [old, later] = [await probe.upload(7), await probe.upload(5)];
  const [olds, laters] = [await probe.part(old, "zyzzyva"), await probe.part(later, "weevil".slice(1))];
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE upload SET created_ms = created_ms - 600000 WHERE id = ?", old);
    storage.sql.exec("UPDATE file SET created_ms = created_ms - 600000 WHERE id = ?", olds);
  });
  const throughMs = Date.now() - 300_000;
  expect(await probe.stub.erase({ ...probe.message, closedUntilMs: 0, throughMs })).toEqual({
    result: "erased",
    pending: 0,
    kept: true,
  });
  expect([await probe.isInBucket(olds), await probe.isInBucket(laters)]).toEqual([false, true]);
  expect(await probe.cancel(old)).toEqual({ result: "unknown" });
  expect(await probe.claim(later, await probe.id("file"), [laters])).toMatchObject({ result: "ok" });
  expect(await probe.erase()).toEqual({ result: "erased", pending: 0 });
  expect(await probe.tables()).toEqual([]);
});

test("the version before, which knows no uploads, gives their parts up after an hour like any upload, and this one finds nothing left", async () => {
  const probe = new UploadProbe();
  const uploadId = await probe.upload(7);
  const part = await probe.part(uploadId, "zyzzyva");
  expect(
    await probe.rows("SELECT ready, bytes, created_ms = (SELECT created_ms FROM upload) AS old FROM file"),
  ).toEqual([{ ready: 0, bytes: 7, old: 1 }]);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("DELETE FROM file");
  });
  expect(await probe.claim(uploadId, await probe.id("file"), [part])).toEqual({
    result: "part-unknown",
    partId: part,
  });
  await age(probe, 3_600_000);
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.count("upload_part")).toBe(0);
});

test("another owner learns and changes nothing of an upload", async () => {
  const probe = new UploadProbe();
  const uploadId = await probe.upload(7);
  const stranger = { ...probe.message, owner: { ...probe.owner, user: "eve" } };
  const partId = await probe.id("uploadPart");
  const fileId = await probe.id("file");
  const unknown = { result: "unknown" };
  const more = { uploadId, partId, fileId, storedIn: "bucket", limits: plenty, reserveBytes: 1 } as const;
  expect(await probe.stub.beginUploadPart({ ...stranger, ...more })).toEqual(unknown);
  expect(await probe.stub.finishUploadPart({ ...stranger, partId, bytes: 1 })).toEqual(unknown);
  expect(await probe.stub.claimUpload({ ...stranger, ...more, partIds: [], fingerprint: "" })).toEqual(
    unknown,
  );
  expect(await probe.stub.claimStanding({ ...stranger, ...more })).toEqual(unknown);
  expect(await probe.stub.completeUpload({ ...stranger, ...more })).toEqual(unknown);
  expect(await probe.stub.cancelUpload({ ...stranger, uploadId })).toEqual(unknown);
  expect(await probe.cancel(uploadId)).toMatchObject({ result: "ok" });
});

test("who announces and cancels uploads without end leaves a bounded list, and what is pending stays", async () => {
  const probe = new UploadProbe();
  const pending = await probe.upload(6);
  const part = await probe.part(pending, "Hello,");
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
       INSERT INTO upload SELECT 'over-' || n, created_ms + n, 'cancelled', filename, purpose, media_type, bytes, NULL, NULL, NULL
       FROM upload, n`,
    );
  });
  const last = await probe.upload(6);
  expect(await probe.count("upload")).toBeLessThan(1010);
  expect(await probe.cancel(last)).toMatchObject({ result: "ok" });
  expect(await probe.claim(pending, await probe.id("file"), [part])).toMatchObject({ result: "ok" });
});
