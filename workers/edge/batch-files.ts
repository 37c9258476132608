/**
 * The files that a batch writes: they belong to its owner and are written by the owner's Library like any other; writing them again gives
 * the same files.
 */
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import type { BatchLife } from "../../src/shared/batches/batch-life.ts";
import type { ResultKind } from "../../src/shared/batches/result-line.ts";
import type { FileAddress } from "../../src/shared/retrieval/file-contents.ts";
import { mintId } from "../../src/shared/turn/response-id.ts";
import { askLibrary } from "./ask-knowledge.ts";
import type { Isolate } from "./isolate.ts";

/** Rejects if the file could not be stored. @returns its id */
export async function keepBatchFile(
  isolate: Isolate,
  life: BatchLife,
  kind: ResultKind,
  texts: Iterable<string>,
): Promise<string> {
  const { env } = isolate;
  const address = await addressOf(isolate, life, kind);
  const { fileId } = address;
  const there = await askLibrary(env, address, async (stub, message) => stub.getFile({ ...message, fileId }));
  if (there.ok) return fileId;
  if (there.error.kind !== "object-unknown") throw new Error(`a batch's file: ${there.error.kind}`);
  const contents = fileContents(env);
  const storedIn = contents.placeFor(life.jurisdiction);
  const begun = await askLibrary(env, address, async (stub, message) =>
    stub.beginUpload({
      ...message,
      fileId,
      reserveBytes: 0,
      storedIn,
      limits: everything,
      ofBatch: life.id,
    }),
  );
  if (!begun.ok) throw new Error(`a batch's file: ${begun.error.kind}`);
  if (begun.value.result !== "ok") throw new Error(`a batch's file: ${begun.value.result}`);
  const writer = contents.writer(address, storedIn);
  try {
    const bytes = await writeAll(writer, texts);
    await writer.finish();
    const finished = await askLibrary(env, address, async (stub, message) =>
      stub.finishUpload({
        ...message,
        fileId,
        filename: `${life.id}_${kind}.jsonl`,
        purpose: "batch_output",
        mediaType: "application/jsonl",
        bytes,
        expiresAfterMs: life.opening.outputExpiresAfterMs,
      }),
    );
    if (!finished.ok) throw new Error(`a batch's file: ${finished.error.kind}`);
    return fileId;
  } catch (error) {
    // The first failure is the one to report. The Library drops the upload by itself.
    await writer.abort().catch(() => undefined);
    throw error;
  }
}

/** For an owner that was erased, whose file's bytes may have arrived after that. Rejects if the Library can't be reached. */
export async function dropBatchFile(isolate: Isolate, life: BatchLife, kind: ResultKind): Promise<void> {
  const { env } = isolate;
  const address = await addressOf(isolate, life, kind);
  const storedIn = fileContents(env).placeFor(life.jurisdiction);
  const dropped = await askLibrary(env, address, async (stub, message) =>
    stub.dropUpload({ ...message, fileId: address.fileId, storedIn }),
  );
  if (!dropped.ok && dropped.error.kind !== "object-unknown")
    throw new Error(`a batch's file: ${dropped.error.kind}`);
}

async function addressOf(
  { hash }: Pick<Isolate, "hash">,
  { id, owner, jurisdiction, times, createdMs }: BatchLife,
  kind: ResultKind,
): Promise<FileAddress> {
  const entropy = await hash.of("batch-file/1", id, kind);
  const nowMs = times.finalizing ?? times.cancelling ?? createdMs;
  const { id: fileId } = await mintId(hash, { kind: "file", owner, jurisdiction, nowMs, entropy });
  return { owner, jurisdiction, fileId };
}

async function writeAll(
  writer: { write(bytes: Uint8Array): Promise<void> },
  texts: Iterable<string>,
): Promise<number> {
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const text of texts) {
    const encoded = encoder.encode(text);
    bytes += encoded.byteLength;
    await writer.write(encoded);
  }
  return bytes;
}

/** Answers that were paid for are stored even above the owner's limits: the next upload is refused instead. */
const everything = { maxFiles: Number.MAX_SAFE_INTEGER, maxTotalBytes: Number.MAX_SAFE_INTEGER } as const;
