/** Files that are uploaded in parts: announce one, send its parts, complete it, cancel it. */
import { fileContents } from "../../../durable-objects/library/file-contents.ts";
import {
  mostPartBytes,
  type UploadOver,
  type UploadView,
} from "../../../src/shared/contracts/parted-upload.ts";
import type { Owner } from "../../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { KnowledgeRef } from "../../../src/shared/retrieval/knowledge-ref.ts";
import { mintId, type IdKind } from "../../../src/shared/turn/response-id.ts";
import {
  parseUploadCompletion,
  parseUploadCreation,
  receivePart,
} from "../../../src/shared/wire/parted-upload-request.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import {
  adminFault,
  askLibrary,
  changeableInPath,
  keptOut,
  ownerFor,
  visibilityOf,
  type OwnerPlace,
} from "../ask-knowledge.ts";
import { asOneRequest, type Counted } from "../as-one-request.ts";
import { completeUploadOf } from "../complete-upload.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { fullOf, publicUpload, publicUploadPart } from "../public-knowledge.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { keptWhole, sentForm, type SentForm } from "../sent-form.ts";

/** `POST /v1/uploads`: counts as a request, as each part and the completion do. */
export const createUpload: TenantHandler = async (call) => {
  const { c, scope, tenant, isolate } = call;
  const visibility = visibilityOf(call);
  if (!visibility.ok) return respondRefusal(scope, visibility.error);
  const owner = ownerFor(call, visibility.value);
  const fault = adminFault(call, owner);
  if (fault !== null) return respondRefusal(scope, fault);
  const { jurisdiction, retrieval, requests } = tenant;
  const text = await readJsonText(c.req.raw, requests.max_body_bytes);
  const announced = text.ok ? parseUploadCreation(text.value, retrieval.max_file_bytes) : text;
  if (!announced.ok) return respondRefusal(scope, announced.error);
  const place = { owner, jurisdiction };
  const uploadId = await mintedId(call, "upload", place);
  const created = await asOneRequest(call, async () => {
    const asked = await askLibrary(isolate.env, place, async (stub, message) =>
      stub.createUpload({ ...message, uploadId, announced: announced.value, limits: limitsOf(call) }),
    );
    if (!asked.ok) return asked;
    const { value } = asked;
    if (value.result === "full") return err(fullOf("bytes", value));
    return value.result === "ok" ? ok(value.upload) : err(keptOut("library", value));
  });
  return answerOf(call, owner, created);
};

/** `POST /v1/uploads/{id}/parts`: the bytes go on as they come. */
export const addUploadPart: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const ref = await changeableInPath(call, "upload");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const maxBytes = Math.min(mostPartBytes, tenant.retrieval.max_file_bytes);
  const form = sentForm(c.req.raw, "data", { maxBytes, what: "part" });
  if (!form.ok) return respondRefusal(scope, form.error);
  const adding = asOneRequest(call, (spent) => addPart(call, ref.value, form.value, spent));
  // A client that leaves in the middle must not stop what takes the part back.
  scope.background.run("upload", adding);
  const added = await adding;
  return added.ok
    ? respondJson(scope, publicUploadPart({ ...added.value, uploadId: ref.value.id }), added.headers)
    : respondRefusal(scope, added.error, added.headers);
};

async function addPart(
  call: TenantCall,
  { id: uploadId, owner, jurisdiction }: KnowledgeRef,
  { body, boundary, atMostBytes }: SentForm,
  spent: () => void,
): Promise<Result<{ readonly partId: string; readonly createdMs: number }, Refusal>> {
  const { isolate, tenant } = call;
  const { env } = isolate;
  const place = { owner, jurisdiction };
  const contents = fileContents(env);
  const storedIn = contents.placeFor(jurisdiction);
  const partId = await mintedId(call, "uploadPart", place);
  const begun = await askLibrary(env, place, async (stub, message) =>
    stub.beginUploadPart({
      ...message,
      uploadId,
      partId,
      reserveBytes: atMostBytes,
      storedIn,
      limits: limitsOf(call),
    }),
  );
  if (!begun.ok) return begun;
  if (begun.value.result === "over") return err(overOf(begun.value));
  if (begun.value.result === "full") return err(fullOf("data", begun.value));
  const { roomBytes, announcedBytes } = begun.value;
  const writer = contents.writer({ ...place, fileId: partId }, storedIn);
  spent();
  const kept = await keptWhole(writer, () => receivePart(body, boundary, roomBytes, writer));
  const finished = kept.ok
    ? await askLibrary(env, place, async (stub, message) =>
        stub.finishUploadPart({ ...message, partId, bytes: kept.value }),
      )
    : kept;
  if (finished.ok) return ok({ partId, createdMs: finished.value.createdMs });
  // Where this does not get through, or the answer alone was lost, the part goes with its upload.
  const dropped = await askLibrary(env, place, async (stub, message) =>
    stub.dropUpload({ ...message, fileId: partId, storedIn }),
  );
  if (!dropped.ok) isolate.report("files", "a part of an upload could not be taken back at once");
  // Its upload was completed or cancelled, or is erased, while its bytes came.
  if (finished.error.kind === "object-unknown")
    return err({
      kind: "conflict",
      message: "This upload was completed, or cancelled, while the part came: the part belongs to no upload.",
    });
  if (finished.error.kind !== "body-too-large" || roomBytes >= atMostBytes) return finished;
  return err(
    roomBytes === announcedBytes
      ? invalidValue(
          "data",
          `is longer than the whole file, which was announced with ${announcedBytes} bytes`,
        )
      : fullOf("data", { limit: "bytes", most: tenant.retrieval.max_total_bytes }),
  );
}

/** `POST /v1/uploads/{id}/complete` */
export const completeUpload: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const ref = await changeableInPath(call, "upload");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const completion = text.ok ? parseUploadCompletion(text.value) : text;
  if (!completion.ok) return respondRefusal(scope, completion.error);
  const completing = asOneRequest(call, async (spent) =>
    viewOf(await completeUploadOf(call, ref.value, completion.value, spent)),
  );
  // As above; and a file that was nearly whole becomes one.
  scope.background.run("upload", completing);
  return answerOf(call, ref.value.owner, await completing);
};

/** `POST /v1/uploads/{id}/cancel` */
export const cancelUpload: TenantHandler = async (call) => {
  const { isolate } = call;
  const ref = await changeableInPath(call, "upload");
  if (!ref.ok) return respondRefusal(call.scope, ref.error);
  const cancelled = await askLibrary(isolate.env, ref.value, async (stub, message) =>
    stub.cancelUpload({ ...message, uploadId: ref.value.id }),
  );
  return answerOf(call, ref.value.owner, { ...viewOf(cancelled), headers: {} });
};

function viewOf(
  outcome: Result<UploadOver | { readonly result: "ok"; readonly upload: UploadView }, Refusal>,
): Result<UploadView, Refusal> {
  if (!outcome.ok) return outcome;
  return outcome.value.result === "ok" ? ok(outcome.value.upload) : err(overOf(outcome.value));
}

function answerOf({ scope }: TenantCall, owner: Owner, outcome: Counted<UploadView>): Response {
  return outcome.ok
    ? respondJson(scope, publicUpload(outcome.value, owner), outcome.headers)
    : respondRefusal(scope, outcome.error, outcome.headers);
}

async function mintedId(
  { scope, isolate }: TenantCall,
  kind: IdKind,
  { owner, jurisdiction }: OwnerPlace,
): Promise<string> {
  const entropy = crypto.getRandomValues(new Uint8Array(16));
  const minted = await mintId(isolate.hash, { kind, owner, jurisdiction, nowMs: scope.startedMs, entropy });
  return minted.id;
}

function limitsOf({ tenant: { retrieval } }: TenantCall) {
  return { maxFiles: retrieval.max_files, maxTotalBytes: retrieval.max_total_bytes };
}

function overOf({ state }: UploadOver): Refusal {
  return {
    kind: "conflict",
    message: `This upload is '${state}': nothing can be added to it, nor changed. Begin another one.`,
  };
}
