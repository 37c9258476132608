import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { bucketKey } from "./file-bucket.ts";
import { fileContents } from "./file-contents.ts";

async function textOf(stream: ReadableStream<Uint8Array> | null): Promise<string | null> {
  return stream === null ? null : new TextDecoder().decode(await new Response(stream).arrayBuffer());
}

test.for(["bucket", "library"] as const)(
  "a file in the %s is read as it was written, also after an eviction, and its deletion leaves no byte",
  async (storedIn) => {
    const probe = new LibraryProbe();
    const text = "zyzzyva ".repeat(storedIn === "library" ? 400_000 : 10);
    const fileId = await probe.file(text, storedIn);
    await evictDurableObject(probe.stub);
    expect(await probe.stub.getFile({ ...probe.message, fileId })).toMatchObject({
      file: { id: fileId, bytes: text.length, storedIn, expiresMs: null },
    });
    const read = () => fileContents(env).open({ ...probe.message, fileId }, storedIn);
    expect((await textOf(await read())) === text).toBe(true);
    expect(await probe.finish(fileId, 5)).toMatchObject({ file: { bytes: text.length } });
    expect(await probe.stub.deleteFile({ ...probe.message, fileId })).toEqual({ result: "deleted" });
    expect(await read()).toBeNull();
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
    for (const ask of [probe.stub.getFile, probe.stub.deleteFile])
      expect(await ask({ ...probe.message, fileId })).toEqual({ result: "unknown" });
  },
);

test("a file of many parts goes to the bucket as one, whatever its length", async () => {
  const probe = new LibraryProbe();
  const part = 8 * 1_048_576;
  for (const length of [part, part + 1, 2 * part + 5]) {
    const fileId = await probe.id("file");
    const writer = fileContents(env).writer({ ...probe.message, fileId }, "bucket");
    // Each part has other bytes: 251 divides no part's length.
    const bytes = Uint8Array.from({ length }, (_, at) => at % 251);
    for (let at = 0; at < length; at += 3_000_000) await writer.write(bytes.subarray(at, at + 3_000_000));
    await writer.finish();
    const stored = new Uint8Array((await (await env.FILES?.get(bucketKey(fileId)))?.arrayBuffer()) ?? []);
    expect(stored.length).toBe(length);
    expect(stored.findIndex((byte, at) => byte !== bytes[at])).toBe(-1);
    await env.FILES?.delete(bucketKey(fileId));
  }
});

test("a file that is deleted while it is read breaks off: what came does not pass for all of it", async () => {
  const probe = new LibraryProbe();
  const fileId = await probe.file("zyzzyva ".repeat(400_000), "library");
  const reader = (await fileContents(env).open({ ...probe.message, fileId }, "library"))?.getReader();
  expect((await reader?.read())?.value?.byteLength).toBe(1_048_576);
  await probe.stub.deleteFile({ ...probe.message, fileId });
  const rest = async (): Promise<void> => {
    while ((await reader?.read())?.done === false);
  };
  await expect(rest()).rejects.toThrow("can't be read to its end");
});
