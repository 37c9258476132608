/** One owner's uploads in parts at their Library object, asked as the edge asks it. */
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { bucketKey } from "../../durable-objects/library/file-bucket.ts";
import { fileContents } from "../../durable-objects/library/file-contents.ts";
import type { LibraryLimits, StoredIn } from "../../src/shared/contracts/library.ts";
import { LibraryProbe } from "./library-probe.ts";

export const plenty: LibraryLimits = { maxFiles: 100, maxTotalBytes: 1_000_000 };

export class UploadProbe extends LibraryProbe {
  readonly storedIn: StoredIn;

  constructor(storedIn: StoredIn = "bucket", user?: string, tenant?: string) {
    super(user, tenant);
    this.storedIn = storedIn;
  }

  async create(bytes: number, limits = plenty, expiresAfterMs: number | null = null) {
    const uploadId = await this.id("upload");
    const named = { filename: "long.txt", purpose: "assistants", mediaType: "text/plain" } as const;
    const announced = { ...named, bytes, expiresAfterMs };
    const created = await this.stub.createUpload({ ...this.message, uploadId, announced, limits });
    return { uploadId, created };
  }

  /** The id of one that was let in. */
  async upload(bytes: number): Promise<string> {
    const { uploadId, created } = await this.create(bytes);
    expect(created).toMatchObject({ result: "ok", upload: { id: uploadId, state: "pending", file: null } });
    return uploadId;
  }

  beginPart(uploadId: string, partId: string, reserveBytes: number, limits = plenty) {
    const { storedIn } = this;
    return this.stub.beginUploadPart({ ...this.message, uploadId, partId, reserveBytes, storedIn, limits });
  }

  /** A whole part. */
  async part(uploadId: string, text: string): Promise<string> {
    const partId = await this.id("uploadPart");
    expect(await this.beginPart(uploadId, partId, text.length)).toMatchObject({ result: "ok" });
    await this.write(partId, text, this.storedIn);
    expect(await this.finishPart(partId, text.length)).toMatchObject({ result: "ok" });
    return partId;
  }

  finishPart(partId: string, bytes: number) {
    return this.stub.finishUploadPart({ ...this.message, partId, bytes });
  }

  claim(uploadId: string, fileId: string, partIds: readonly string[], fingerprint = partIds.join()) {
    const { storedIn } = this;
    return this.stub.claimUpload({ ...this.message, uploadId, fileId, storedIn, partIds, fingerprint });
  }

  complete(uploadId: string, fileId: string) {
    return this.stub.completeUpload({ ...this.message, uploadId, fileId });
  }

  cancel(uploadId: string) {
    return this.stub.cancelUpload({ ...this.message, uploadId });
  }

  drop(fileId: string) {
    return this.stub.dropUpload({ ...this.message, fileId, storedIn: this.storedIn });
  }

  /** The bytes of a file, or of a part, wherever they lie; `null`: there are none. */
  async text(id: string): Promise<string | null> {
    const body = await fileContents(env).open({ ...this.message, fileId: id }, this.storedIn);
    return body === null ? null : new Response(body).text();
  }

  async isInBucket(id: string): Promise<boolean> {
    return (await env.FILES?.head(bucketKey(id))) !== null;
  }

  count(table: string): Promise<unknown> {
    return this.rows(`SELECT count(*) AS n FROM ${table}`).then(([row]) => row?.["n"]);
  }
}
