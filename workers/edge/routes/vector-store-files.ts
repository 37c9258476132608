/** Files in a vector store, one by one or in batches: put in, looked at, changed, taken out. */
import { fileContents } from "../../../durable-objects/library/file-contents.ts";
import type { AttachFilesOutcome } from "../../../src/shared/contracts/knowledge-base.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { readFileText } from "../../../src/shared/retrieval/read-file-text.ts";
import type { KnowledgeRef } from "../../../src/shared/retrieval/knowledge-ref.ts";
import { base32 } from "../../../src/shared/turn/base32.ts";
import {
  parseVectorStoreBatch,
  parseVectorStoreFile,
  parseVectorStoreFileUpdate,
  type WantedFile,
} from "../../../src/shared/wire/vector-store-request.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import { asOneRequest } from "../as-one-request.ts";
import { askLibrary, askStore, changeableInPath, inPath, openFile, storeExpired } from "../ask-knowledge.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { mostPassages } from "../outside-vectors.ts";
import { publicPage } from "../public-conversation.ts";
import { idPageOf, publicBatch, publicStoreFile, statusOf } from "../public-knowledge.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { documentReader } from "../document-reader.ts";
import { filesFault } from "./vector-stores.ts";

type FileField = "file_id" | "file_ids" | "files";

/** `POST /v1/vector_stores/{id}/files`: counts as a request. */
export const attachFile: TenantHandler = async (call) => {
  const { scope, tenant } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const wanted = parseVectorStoreFile(text.value);
  if (!wanted.ok) return respondRefusal(scope, wanted.error);
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const attached = await asOneRequest(call, () => attach(call, ref.value, [wanted.value], "file_id", null));
  const { headers } = attached;
  if (!attached.ok) return respondRefusal(scope, attached.error, headers);
  const [file] = attached.value.files;
  return file === undefined
    ? respondRefusal(scope, { kind: "object-unknown", namedBy: "file_id" }, headers)
    : respondJson(scope, publicStoreFile(file, ref.value.id), headers);
};

/** `POST /v1/vector_stores/{id}/file_batches`: counts as one request. */
export const createFileBatch: TenantHandler = async (call) => {
  const { scope, tenant } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const wanted = parseVectorStoreBatch(text.value);
  if (!wanted.ok) return respondRefusal(scope, wanted.error);
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const batchId = `vsfb_${base32(crypto.getRandomValues(new Uint8Array(17)), 26)}`;
  const { files, namedBy } = wanted.value;
  const attached = await asOneRequest(call, () => attach(call, ref.value, files, namedBy, batchId));
  if (!attached.ok) return respondRefusal(scope, attached.error, attached.headers);
  const { batch } = attached.value;
  if (batch === null) throw new Error("a batch that was made is there");
  return respondJson(scope, publicBatch(batch, ref.value.id), attached.headers);
};

type Attached = Extract<AttachFilesOutcome, { readonly result: "ok" }>;

/** The Library notes first where the files will lie: from then on none is deleted without the store's knowing. */
async function attach(
  call: TenantCall,
  store: KnowledgeRef,
  wanted: readonly WantedFile[],
  namedBy: FileField,
  batchId: string | null,
): Promise<Result<Attached, Refusal>> {
  const { env } = call.isolate;
  const fault = await filesFault(call, store.owner, wanted, namedBy);
  if (fault !== null) return err(fault);
  const used = await askLibrary(env, store, async (stub, { v, owner, jurisdiction }) =>
    stub.useFiles({ v, owner, jurisdiction, storeId: store.id, files: wanted }),
  );
  if (!used.ok) return used;
  if (used.value.result !== "ok") return err({ kind: "object-unknown", namedBy });
  const { files } = used.value;
  const maxPassages = mostPassages(env, call.tenant);
  const attached = await askStore(env, store, async (stub, message) =>
    stub.attach({ ...message, files, batchId, maxPassages }),
  );
  if (!attached.ok) return attached;
  switch (attached.value.result) {
    case "ok":
      return ok(attached.value);
    case "expired":
      return err(storeExpired);
    case "file-unknown":
      return err({ kind: "object-unknown", namedBy });
  }
}

/** `GET /v1/vector_stores/{id}/files`, and of a batch. */
export const listStoreFiles: TenantHandler = (call) => listFilesOf(call, null);
export const listBatchFiles: TenantHandler = (call) => listFilesOf(call, call.c.req.param("batch_id") ?? "");

async function listFilesOf(call: TenantCall, batchId: string | null): Promise<Response> {
  const { c, scope, isolate } = call;
  const page = idPageOf(c, 100, 20);
  if (!page.ok) return respondRefusal(scope, page.error);
  const status = statusOf(c);
  if (!status.ok) return respondRefusal(scope, status.error);
  const ref = await inPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const listed = await askStore(isolate.env, ref.value, async (stub, message) =>
    stub.listFiles({ ...message, ...page.value, status: status.value, batchId }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const outcome = listed.value;
  if (outcome.result === "cursor-unknown")
    return respondRefusal(scope, invalidValue(outcome.cursor, "names nothing in this list"));
  return respondJson(
    scope,
    publicPage(
      outcome.files.map((file) => publicStoreFile(file, ref.value.id)),
      outcome.hasMore,
    ),
  );
}

/** `GET /v1/vector_stores/{id}/files/{file_id}` */
export const showStoreFile: TenantHandler = async (call) => {
  const { scope } = call;
  const found = await storeFile(call);
  return found.ok
    ? respondJson(scope, publicStoreFile(found.value.file, found.value.store.id))
    : respondRefusal(scope, found.error);
};

async function storeFile(call: TenantCall) {
  const ref = await inPath(call, "vectorStore");
  if (!ref.ok) return ref;
  const fileId = call.c.req.param("file_id") ?? "";
  const found = await askStore(call.isolate.env, ref.value, async (stub, message) =>
    stub.getFile({ ...message, fileId }),
  );
  return found.ok ? ok({ store: ref.value, file: found.value.file }) : found;
}

/** `POST /v1/vector_stores/{id}/files/{file_id}`: its attributes, all of them. */
export const updateStoreFile: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const attributes = parseVectorStoreFileUpdate(text.value);
  if (!attributes.ok) return respondRefusal(scope, attributes.error);
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const fileId = call.c.req.param("file_id") ?? "";
  const updated = await askStore(isolate.env, ref.value, async (stub, message) =>
    stub.updateFile({ ...message, fileId, attributes: attributes.value }),
  );
  return updated.ok
    ? respondJson(scope, publicStoreFile(updated.value.file, ref.value.id))
    : respondRefusal(scope, updated.error);
};

/** `DELETE /v1/vector_stores/{id}/files/{file_id}`: out of this store. */
export const detachFile: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const fileId = call.c.req.param("file_id") ?? "";
  let tries = 0;
  const detached = await askStore(isolate.env, ref.value, async (stub, message) => {
    tries += 1;
    const outcome = await stub.detachFile({ ...message, fileId });
    // The first try took it out, and its answer was lost.
    return tries > 1 && outcome.result === "unknown" ? ({ result: "deleted" } as const) : outcome;
  });
  return detached.ok
    ? respondJson(scope, { id: fileId, object: "vector_store.file.deleted", deleted: true })
    : respondRefusal(scope, detached.error);
};

/** `GET /v1/vector_stores/{id}/files/{file_id}/content`: its text, read from the file anew. Counts as a request. */
export const showStoreFileText: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const found = await storeFile(call);
  if (!found.ok) return respondRefusal(scope, found.error);
  const { store, file } = found.value;
  if (file.status !== "completed")
    return respondRefusal(scope, {
      kind: "conflict",
      message: `This file is '${file.status}': its text is there when it is 'completed'.`,
    });
  const { owner, jurisdiction } = store;
  const opened = await asOneRequest(call, (spent) =>
    openFile(async () => {
      const address = { owner, jurisdiction, fileId: file.fileId };
      const bytes = await fileContents(isolate.env).open(address, file.storedIn);
      if (bytes === null) return null;
      spent();
      return readFileText(file, bytes, documentReader(isolate.env));
    }),
  );
  const { headers } = opened;
  if (!opened.ok) return respondRefusal(scope, opened.error, headers);
  const read = opened.value;
  // An older version read it otherwise.
  if (!read.ok) {
    const message = `This file's text can't be read any more. ${read.error.message}`;
    return respondRefusal(scope, { kind: "conflict", message }, headers);
  }
  const data = [{ type: "text", text: read.value.text }];
  const page = { object: "vector_store.file_content.page", data, has_more: false, next_page: null };
  return respondJson(scope, page, headers);
};

/** `GET /v1/vector_stores/{id}/file_batches/{batch_id}` */
export const showFileBatch: TenantHandler = async (call) => {
  const ref = await inPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(call.scope, ref.error);
  const batchId = call.c.req.param("batch_id") ?? "";
  const found = await askStore(call.isolate.env, ref.value, async (stub, message) =>
    stub.getBatch({ ...message, batchId }),
  );
  return found.ok
    ? respondJson(call.scope, publicBatch(found.value.batch, ref.value.id))
    : respondRefusal(call.scope, found.error);
};

/** `POST /v1/vector_stores/{id}/file_batches/{batch_id}/cancel` */
export const cancelFileBatch: TenantHandler = async (call) => {
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(call.scope, ref.error);
  const batchId = call.c.req.param("batch_id") ?? "";
  const cancelled = await askStore(call.isolate.env, ref.value, async (stub, message) =>
    stub.cancelBatch({ ...message, batchId }),
  );
  return cancelled.ok
    ? respondJson(call.scope, publicBatch(cancelled.value.batch, ref.value.id))
    : respondRefusal(call.scope, cancelled.error);
};
