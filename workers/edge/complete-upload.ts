/**
 * How do an upload's parts become one file? They are written one behind the other as a file of its own, which counts as the upload's only
 * when the Library says so: claim ▸ copy ▸ complete. Whoever claims later takes the place of whoever did before, so a retry need not wait
 * for a first try that may be dead; what a try has left is erased.
 */
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import type { UploadOver, UploadPart, UploadView } from "../../src/shared/contracts/parted-upload.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { FileWriter } from "../../src/shared/retrieval/file-contents.ts";
import type { KnowledgeRef } from "../../src/shared/retrieval/knowledge-ref.ts";
import { base32 } from "../../src/shared/turn/base32.ts";
import { mintId } from "../../src/shared/turn/response-id.ts";
import type { UploadCompletion } from "../../src/shared/wire/parted-upload-request.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import { askLibrary } from "./ask-knowledge.ts";
import type { TenantCall } from "./handle.ts";
import { keptWhole } from "./sent-form.ts";

type Completed = UploadOver | { readonly result: "ok"; readonly upload: UploadView };

/** @param spent called before the parts' bytes are read */
export async function completeUploadOf(
  { scope, isolate }: TenantCall,
  { id: uploadId, owner, jurisdiction }: KnowledgeRef,
  { partIds, md5 }: UploadCompletion,
  spent: () => void,
): Promise<Result<Completed, Refusal>> {
  const { env, hash } = isolate;
  const place = { owner, jurisdiction };
  const contents = fileContents(env);
  const storedIn = contents.placeFor(jurisdiction);
  const entropy = crypto.getRandomValues(new Uint8Array(16));
  const { id: fileId } = await mintId(hash, {
    kind: "file",
    owner,
    jurisdiction,
    nowMs: scope.startedMs,
    entropy,
  });
  const fingerprint = base32(await hash.of("upload-completion/1", md5 ?? "", ...partIds), fingerprintLength);
  const claimed = await askLibrary(env, place, async (stub, message) =>
    stub.claimUpload({ ...message, uploadId, fileId, storedIn, partIds, fingerprint }),
  );
  if (!claimed.ok) return claimed;
  const claim = claimed.value;
  switch (claim.result) {
    case "over":
      return ok(claim);
    case "completed":
      return ok({ result: "ok", upload: claim.upload });
    case "part-unknown":
      return err({ kind: "object-unknown", namedBy: `part_ids[${partIds.indexOf(claim.partId)}]` });
    case "wrong-length":
      return err(
        invalidValue(
          "part_ids",
          `names parts of ${claim.bytes} bytes together, and the file was announced with ${claim.announcedBytes}`,
        ),
      );
    case "ok":
  }
  const standing = (): Promise<Result<unknown, Refusal>> =>
    askLibrary(env, place, async (stub, message) => stub.claimStanding({ ...message, uploadId, fileId }));
  const open = (part: UploadPart) => contents.open({ ...place, fileId: part.partId }, part.storedIn);
  const writer = contents.writer({ ...place, fileId }, storedIn);
  spent();
  const put = await keptWhole(writer, () => copyParts(claim.parts, md5, { open, standing, writer }));
  // What was taken from this call can't be read or written to its end, either.
  const isOvertaken =
    !put.ok && isUnknown(put.error.kind === "dependency-unavailable" ? await standing() : put);
  const completed = put.ok
    ? await askLibrary(env, place, async (stub, message) =>
        stub.completeUpload({ ...message, uploadId, fileId }),
      )
    : put;
  if (completed.ok && completed.value.result === "ok") return completed;
  // One that became the file after all, and whose answer was lost, stays.
  const dropped = await askLibrary(env, place, async (stub, message) =>
    stub.dropUpload({ ...message, fileId, storedIn }),
  );
  if (!dropped.ok && dropped.error.kind !== "object-unknown")
    isolate.report("files", "what was put together of an upload could not be taken back at once");
  return isOvertaken || isUnknown(completed) ? err(overtaken) : completed;
}

function isUnknown(result: Result<unknown, Refusal>): boolean {
  return !result.ok && result.error.kind === "object-unknown";
}

interface Copying {
  /** `null`: it is gone. */
  readonly open: (part: UploadPart) => Promise<ReadableStream<Uint8Array> | null>;
  /** Whether this is still what the upload is to become. */
  readonly standing: () => Promise<Result<unknown, Refusal>>;
  readonly writer: FileWriter;
}

/** What can't be read, or is not what was counted, is thrown: nothing becomes a file that is not all of it. */
async function copyParts(
  parts: readonly UploadPart[],
  md5: string | null,
  { open, standing, writer }: Copying,
): Promise<Result<null, Refusal>> {
  const digest = md5 === null ? null : new crypto.DigestStream("MD5");
  const digesting = digest?.getWriter();
  for (const part of parts) {
    const stands = await standing();
    if (!stands.ok) return stands;
    let bytes = 0;
    for await (const piece of (await open(part)) ?? []) {
      bytes += piece.byteLength;
      await digesting?.write(piece);
      await writer.write(piece);
    }
    if (bytes !== part.bytes) throw new Error(`a part of ${part.bytes} bytes was read with ${bytes}`);
  }
  if (digest === null) return ok(null);
  await digesting?.close();
  const found = hexadecimal(new Uint8Array(await digest.digest));
  return found === md5
    ? ok(null)
    : err(invalidValue("md5", `is not that of these parts in this order, which is ${found}`));
}

function hexadecimal(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** 160 bits. */
const fingerprintLength = 32;

/** Its owner's doing: by another completion, which takes this one's place, by cancelling it, or by an erasure. */
const overtaken: Refusal = {
  kind: "conflict",
  message:
    "This upload was completed again, or cancelled, while its parts were put together: this call has made no file.",
};
