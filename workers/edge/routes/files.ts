/** Files: upload one, look at it, get its bytes, erase it. */
import { fileContents } from "../../../durable-objects/library/file-contents.ts";
import {
  filePurposes,
  type DeleteFileOutcome,
  type LibraryFile,
} from "../../../src/shared/contracts/library.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { FileAddress } from "../../../src/shared/retrieval/file-contents.ts";
import { resolveKnowledge } from "../../../src/shared/retrieval/knowledge-ref.ts";
import { mintId } from "../../../src/shared/turn/response-id.ts";
import { receiveUpload } from "../../../src/shared/wire/file-upload.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import {
  adminFault,
  askLibrary,
  changeableInPath,
  inPath,
  keptOut,
  type LibraryAsked,
  openFile,
  ownerFor,
  unavailable,
  visibilityOf,
} from "../ask-knowledge.ts";
import { asOneRequest } from "../as-one-request.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { fullOf, idPageOf, publicFile } from "../public-knowledge.ts";
import { publicPage } from "../public-conversation.ts";
import { repeatedDeletion } from "../repeated-deletion.ts";
import { baseHeaders, respondJson, respondRefusal } from "../respond.ts";
import { keptWhole, sentForm, type SentForm } from "../sent-form.ts";

/** `POST /v1/files`: the bytes go on as they come; at most a part of them is held. Counts as a request. */
export const createFile: TenantHandler = async (call) => {
  const { scope } = call;
  const visibility = visibilityOf(call);
  if (!visibility.ok) return respondRefusal(scope, visibility.error);
  const owner = ownerFor(call, visibility.value);
  const fault = adminFault(call, owner);
  if (fault !== null) return respondRefusal(scope, fault);
  const form = sentForm(call.c.req.raw, "file", {
    maxBytes: call.tenant.retrieval.max_file_bytes,
    what: "file",
  });
  if (!form.ok) return respondRefusal(scope, form.error);
  const uploading = asOneRequest(call, (spent) => upload(call, owner, form.value, spent));
  // A client that leaves in the middle must not stop what takes the upload back.
  scope.background.run("upload", uploading);
  const file = await uploading;
  return file.ok
    ? respondJson(scope, publicFile(file.value, owner), file.headers)
    : respondRefusal(scope, file.error, file.headers);
};

async function upload(
  { scope, tenant, isolate }: TenantCall,
  owner: FileAddress["owner"],
  { body, boundary, atMostBytes }: SentForm,
  spent: () => void,
): Promise<Result<LibraryFile, Refusal>> {
  const { env } = isolate;
  const { jurisdiction, retrieval } = tenant;
  const contents = fileContents(env);
  const storedIn = contents.placeFor(jurisdiction);
  const { id: fileId } = await mintId(isolate.hash, {
    kind: "file",
    owner,
    jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const address = { owner, jurisdiction, fileId };
  const limits = { maxFiles: retrieval.max_files, maxTotalBytes: retrieval.max_total_bytes };
  const begun = await askLibrary(env, address, async (stub, message) =>
    stub.beginUpload({ ...message, fileId, reserveBytes: atMostBytes, storedIn, limits }),
  );
  if (!begun.ok) return begun;
  if (begun.value.result === "full") return err(fullOf("file", begun.value));
  if (begun.value.result === "unreachable") return err(keptOut("library", begun.value));
  const { roomBytes } = begun.value;
  const writer = contents.writer(address, storedIn);
  spent();
  const kept = await keptWhole(writer, () => receiveUpload(body, boundary, roomBytes, writer));
  const finished = kept.ok
    ? await askLibrary(env, address, async (stub, message) =>
        stub.finishUpload({ ...message, fileId, ...kept.value }),
      )
    : kept;
  if (finished.ok) return ok(finished.value.file);
  if (kept.ok) {
    // It may be the answer alone that was lost: a client that is refused sends the file again, and then has two.
    const there = await askLibrary(env, address, async (stub, message) =>
      stub.getFile({ ...message, fileId }),
    );
    if (there.ok) return ok(there.value.file);
  }
  // Where this does not get through, the Library gives the upload up by itself.
  const dropped = await askLibrary(env, address, async (stub, message) =>
    stub.dropUpload({ ...message, fileId, storedIn }),
  );
  if (!dropped.ok) isolate.report("files", "an upload that failed could not be taken back at once");
  // Given up, or erased, while its bytes came. Where they lie in the Library itself, a part says so (librarySink).
  if (finished.error.kind === "object-unknown")
    return err(unavailable("files", 1000, "an upload was given up meanwhile"));
  const isTooLarge = finished.error.kind === "body-too-large" && roomBytes < atMostBytes;
  return isTooLarge ? err(fullOf("file", { limit: "bytes", most: retrieval.max_total_bytes })) : finished;
}

/** `GET /v1/files` */
export const listFiles: TenantHandler = async (call) => {
  const { c, scope, isolate, tenant } = call;
  const page = idPageOf(c, 10_000, 10_000);
  if (!page.ok) return respondRefusal(scope, page.error);
  const visibility = visibilityOf(call);
  if (!visibility.ok) return respondRefusal(scope, visibility.error);
  const asked = c.req.query("purpose");
  const purpose = filePurposes.find((each) => each === asked) ?? null;
  // No file has another purpose of OpenAI's.
  if (asked !== undefined && purpose === null) return respondJson(scope, publicPage([], false));
  const owner = ownerFor(call, visibility.value);
  for (const cursor of ["after", "before"] as const) {
    const id = page.value[cursor];
    if (id !== null && (await resolveKnowledge(isolate.hash, id, "file", owner)) === null)
      return respondRefusal(scope, invalidValue(cursor, "names nothing in this list"));
  }
  const listed = await askLibrary(
    isolate.env,
    { owner, jurisdiction: tenant.jurisdiction },
    async (stub, message) => stub.listFiles({ ...message, ...page.value, purpose }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const { files, hasMore } = listed.value;
  return respondJson(
    scope,
    publicPage(
      files.map((file) => publicFile(file, owner)),
      hasMore,
    ),
  );
};

/** `GET /v1/files/{id}` */
export const showFile: TenantHandler = async (call) => {
  const { scope } = call;
  const found = await fileInPath(call);
  return found.ok
    ? respondJson(scope, publicFile(found.value.file, found.value.owner))
    : respondRefusal(scope, found.error);
};

/** `GET /v1/files/{id}/content`: as it was uploaded, never as a page of ours. */
export const showFileContent: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const found = await fileInPath(call);
  if (!found.ok) return respondRefusal(scope, found.error);
  const { file, owner, jurisdiction } = found.value;
  const opened = await openFile(() =>
    fileContents(isolate.env).open({ owner, jurisdiction, fileId: file.id }, file.storedIn),
  );
  if (!opened.ok) return respondRefusal(scope, opened.error);
  scope.record.status = 200;
  scope.finish();
  return new Response(opened.value, {
    headers: {
      ...baseHeaders(scope),
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(file.filename).replaceAll(/['()*]/g, escaped)}`,
    },
  });
};

/** `DELETE /v1/files/{id}`: here, and in every vector store. */
export const deleteFile: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const ref = await changeableInPath(call, "file");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const { id } = ref.value;
  const remove = repeatedDeletion<LibraryAsked, DeleteFileOutcome>(
    async (stub, message) => stub.deleteFile({ ...message, fileId: id }),
    async () => ({ result: "deleted" }),
  );
  const deleted = await askLibrary(isolate.env, ref.value, remove);
  return deleted.ok
    ? respondJson(scope, { id, object: "file", deleted: true })
    : respondRefusal(scope, deleted.error);
};

async function fileInPath(call: TenantCall) {
  const ref = await inPath(call, "file");
  if (!ref.ok) return ref;
  const found = await askLibrary(call.isolate.env, ref.value, async (stub, message) =>
    stub.getFile({ ...message, fileId: ref.value.id }),
  );
  return found.ok ? ok({ ...ref.value, file: found.value.file }) : found;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
