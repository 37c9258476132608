/** Files' bytes in R2: the bucket of a jurisdiction, a file's key, and how its parts get there. */
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import type { PartSink } from "../../src/shared/retrieval/parted-writer.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";

type Buckets = Pick<Cloudflare.Env, "ENVIRONMENT" | "FILES" | "FILES_EU">;

/** R2 wants every part of an upload but the last of the same size, and of 5 MiB at least. */
const partBytes = 8 * 1_048_576;

/** Absent: bytes lie in the Library objects. Locally there is one bucket, as there is one namespace of objects. */
export function fileBucket(env: Buckets, jurisdiction: Jurisdiction): R2Bucket | undefined {
  return jurisdiction === "eu" && env.ENVIRONMENT !== "local" ? env.FILES_EU : env.FILES;
}

/** The key shows when the file was created, but neither its owner nor its content. */
export function bucketKey(fileId: string): string {
  const named = objectOfId(fileId);
  if (named === null) throw new TypeError("no id of a file");
  return `files/${named.objectName}`;
}

/** A file of one part is put whole; a longer one is a multipart upload, of which R2 shows nothing before its end. */
export function bucketSink(bucket: R2Bucket, key: string): PartSink {
  let upload: R2MultipartUpload | null = null;
  const parts: R2UploadedPart[] = [];
  return {
    partBytes,
    async put(part, bytes, isLast) {
      if (part === 0 && isLast) {
        await bucket.put(key, bytes);
        return;
      }
      upload ??= await bucket.createMultipartUpload(key);
      parts.push(await upload.uploadPart(part + 1, bytes));
      if (isLast) await upload.complete(parts);
    },
    async abort() {
      await upload?.abort();
    },
  };
}
