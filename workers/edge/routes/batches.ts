/** Batches of requests: make one of a file, look at it, cancel it. */
import { callObject, calledObject } from "../../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../../durable-objects/storage/jurisdiction.ts";
import { batchVersion, type BatchView } from "../../../src/shared/contracts/batch.ts";
import type { BatchClaim, LibraryFile } from "../../../src/shared/contracts/library.ts";
import type { Owner } from "../../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { limitsOf } from "../../../src/shared/limits/principal-limits.ts";
import { resolveKnowledge } from "../../../src/shared/retrieval/knowledge-ref.ts";
import { base32 } from "../../../src/shared/turn/base32.ts";
import { idempotencyKeyFault } from "../../../src/shared/turn/durable/turn-claim.ts";
import { serialPrincipal } from "../../../src/shared/turn/durable/turn-request.ts";
import { mintId, verifyId, type VerifiedId } from "../../../src/shared/turn/response-id.ts";
import {
  completionWindowMs,
  parseBatchCreation,
  type BatchCreation,
} from "../../../src/shared/wire/batch-request.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import { asOneRequest } from "../as-one-request.ts";
import { answerOf, askLibrary, keptOut, unavailable } from "../ask-knowledge.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { placeOf } from "../place.ts";
import { publicBatchOf } from "../public-batch.ts";
import { publicPage } from "../public-conversation.ts";
import { idPageOf } from "../public-knowledge.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

/** `POST /v1/batches` */
export const createBatch: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const key = c.req.header("idempotency-key");
  const fault = key === undefined ? null : idempotencyKeyFault(key);
  if (fault !== null) return respondRefusal(scope, fault);
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const creation = text.ok ? parseBatchCreation(text.value) : text;
  if (!creation.ok) return respondRefusal(scope, creation.error);
  if (tenant.batches.mode === "off")
    return respondRefusal(scope, {
      kind: "parameter-unsupported",
      param: "endpoint",
      message: "This tenant allows no batches.",
    });
  const claim = key === undefined || !text.ok ? undefined : await claimOf(call, key, text.value);
  const created = await asOneRequest(call, () => create(call, creation.value, claim));
  return created.ok
    ? respondJson(scope, publicBatchOf(created.value), created.headers)
    : respondRefusal(scope, created.error, created.headers);
};

async function claimOf({ isolate: { hash } }: TenantCall, key: string, body: string): Promise<BatchClaim> {
  const [keyTag, bodyTag] = await Promise.all([hash.of("batch-key/1", key), hash.of("batch-body/1", body)]);
  return { key: base32(keyTag, claimTagLength), fingerprint: base32(bodyTag, claimTagLength) };
}

/** 160 bits. */
const claimTagLength = 32;

async function create(
  call: TenantCall,
  creation: BatchCreation,
  claim: BatchClaim | undefined,
): Promise<Result<BatchView, Refusal>> {
  const { c, scope, tenant, isolate, principal } = call;
  const input = await inputFile(call, creation.inputFileId);
  if (!input.ok) return claim === undefined ? input : claimedBatch(call, claim, input.error);
  const owner = ownerOf(call);
  const { jurisdiction, batches, requests } = tenant;
  const { id: batchId, objectName } = await mintId(isolate.hash, {
    kind: "batch",
    owner,
    jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const { file, owner: fileOwner } = input.value;
  const created = await askLibrary(isolate.env, { owner, jurisdiction }, async (stub, message) =>
    stub.createBatch({
      ...message,
      batchId,
      createdMs: scope.startedMs,
      maxOpen: batches.max_open,
      maxOpenTotal: batches.max_open_total,
      ...(claim === undefined ? {} : { claim }),
      opening: {
        endpoint: creation.endpoint,
        input: { owner: fileOwner, fileId: file.id, storedIn: file.storedIn, bytes: file.bytes },
        principal: serialPrincipal(principal),
        place: placeOf(c.req.raw),
        metadata: creation.metadata,
        outputExpiresAfterMs: creation.outputExpiresAfterMs,
        windowMs: completionWindowMs,
        maxLines: batches.max_lines,
        maxLineBytes: requests.max_body_bytes + lineOverheadBytes,
        maxInFlight: mostInFlight(call),
        maxStoredBytes: mostStoredBytes,
      },
    }),
  );
  if (created.ok) {
    switch (created.value.result) {
      case "ok":
        return ok(created.value.batch);
      case "reused":
        return err({ kind: "idempotency-reused" });
      case "full":
        isolate.metrics.count(
          "batchesRefused",
          created.value.of === "tenant" ? "tenant_batches" : "user_batches",
        );
        return err(tooMany(created.value));
      case "unreachable":
        return err(keptOut("batch", created.value));
    }
  }
  // It may be the answer alone that was lost: a client that is refused asks again, and pays for all of it twice.
  const there = await askBatch(call, { objectName, jurisdiction }, async (stub, message) =>
    stub.describe(message),
  );
  return there.ok ? ok(there.value.batch) : created;
}

/** Its file was there when it was asked for first, and may be gone by now. */
async function claimedBatch(
  call: TenantCall,
  claim: BatchClaim,
  otherwise: Refusal,
): Promise<Result<BatchView, Refusal>> {
  const { isolate, tenant } = call;
  const found = await askLibrary(
    isolate.env,
    { owner: ownerOf(call), jurisdiction: tenant.jurisdiction },
    async (stub, message) => stub.findClaimedBatch({ ...message, claim }),
  );
  if (!found.ok) return err(found.error.kind === "object-unknown" ? otherwise : found.error);
  return found.value.result === "reused"
    ? err({ kind: "idempotency-reused" })
    : describe(call, found.value.batchId);
}

/** Half of what its owner may have running at once is left to the owner. */
function mostInFlight({ tenant, principal }: TenantCall): number {
  const { rules } = limitsOf(tenant, "user", principal);
  const atOnce = rules.find(({ unit }) => unit === "slots")?.capacity ?? Infinity;
  return Math.max(1, Math.min(tenant.batches.max_in_flight, Math.floor(atOnce / 2)));
}

/** Around the body: `custom_id`, `method`, `url`. */
const lineOverheadBytes = 4096;

/** An object has ten gigabytes, and what is under way when this is reached is to find room. */
const mostStoredBytes = 8_000_000_000;

function tooMany({ most, of }: { readonly most: number; readonly of?: "tenant" }): Refusal {
  const whose = of === "tenant" ? "of all users of this tenant together" : "of yours";
  return {
    kind: "conflict",
    message: `There are ${most} batches ${whose} that have not ended, the most that this tenant allows. Wait for one to end, or cancel it.`,
  };
}

async function inputFile(
  call: TenantCall,
  fileId: string,
): Promise<Result<{ readonly file: LibraryFile; readonly owner: Owner }, Refusal>> {
  const { isolate } = call;
  const ref = await resolveKnowledge(isolate.hash, fileId, "file", ownerOf(call));
  if (ref === null) return err(unknownInput);
  const found = await askLibrary(isolate.env, ref, async (stub, message) =>
    stub.getFile({ ...message, fileId: ref.id }),
  );
  if (!found.ok) return found.error.kind === "object-unknown" ? err(unknownInput) : found;
  const { file } = found.value;
  return file.purpose === "batch"
    ? ok({ file, owner: ref.owner })
    : err(invalidValue("input_file_id", `names a file of the purpose '${file.purpose}': it must be 'batch'`));
}

const unknownInput: Refusal = { kind: "object-unknown", namedBy: "input_file_id" };

/** `GET /v1/batches`: each as its own object says it is now. */
export const listBatches: TenantHandler = async (call) => {
  const { c, scope, isolate, tenant } = call;
  const page = idPageOf(c, 100, 20);
  if (!page.ok) return respondRefusal(scope, page.error);
  const owner = ownerOf(call);
  for (const cursor of ["after", "before"] as const) {
    const id = page.value[cursor];
    if (id !== null && (await batchOf(call, id)) === null)
      return respondRefusal(scope, invalidValue(cursor, "names nothing in this list"));
  }
  const listed = await askLibrary(
    isolate.env,
    { owner, jurisdiction: tenant.jurisdiction },
    async (stub, message) => stub.listBatches({ ...message, ...page.value }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const { ids, hasMore } = listed.value;
  const batches: BatchView[] = [];
  for (let at = 0; at < ids.length; at += atOnce) {
    const described = await Promise.all(ids.slice(at, at + atOnce).map((id) => describe(call, id)));
    for (const one of described)
      if (one.ok) batches.push(one.value);
      // Erased since it was listed.
      else if (one.error.kind !== "object-unknown") return respondRefusal(scope, one.error);
  }
  return respondJson(scope, publicPage(batches.map(publicBatchOf), hasMore));
};

/** How many objects are asked at once: a Worker opens six connections. */
const atOnce = 6;

/** `GET /v1/batches/{id}` */
export const showBatch: TenantHandler = async (call) => {
  const described = await describe(call, call.c.req.param("id") ?? "");
  return described.ok
    ? respondJson(call.scope, publicBatchOf(described.value))
    : respondRefusal(call.scope, described.error);
};

/** `POST /v1/batches/{id}/cancel` */
export const cancelBatch: TenantHandler = async (call) => {
  const { scope } = call;
  const ref = await batchOf(call, call.c.req.param("id") ?? "");
  if (ref === null) return respondRefusal(scope, { kind: "object-unknown" });
  const cancelled = await askBatch(call, ref, async (stub, message) => stub.cancel(message));
  if (!cancelled.ok) return respondRefusal(scope, cancelled.error);
  const outcome = cancelled.value;
  return outcome.result === "ok"
    ? respondJson(scope, publicBatchOf(outcome.batch))
    : respondRefusal(scope, {
        kind: "conflict",
        message: `A batch with the status '${outcome.status}' can't be cancelled.`,
      });
};

async function describe(call: TenantCall, id: string): Promise<Result<BatchView, Refusal>> {
  const ref = await batchOf(call, id);
  if (ref === null) return err({ kind: "object-unknown" });
  const described = await askBatch(call, ref, async (stub, message) => stub.describe(message));
  return described.ok ? ok(described.value.batch) : described;
}

/** `null`: an id that we did not make for this caller. No object is asked. */
async function batchOf(call: TenantCall, id: string): Promise<VerifiedId | null> {
  const verified = await verifyId(call.isolate.hash, id, ownerOf(call));
  return verified?.kind === "batch" ? verified : null;
}

type Place = Pick<VerifiedId, "objectName" | "jurisdiction">;

function batchStub({ isolate: { env } }: TenantCall, { objectName, jurisdiction }: Place) {
  return inJurisdiction(env.BATCH, jurisdiction, env.ENVIRONMENT).getByName(objectName);
}

async function askBatch<Answer extends { readonly result: string }>(
  call: TenantCall,
  place: Place,
  ask: (
    stub: ReturnType<typeof batchStub>,
    message: { readonly v: typeof batchVersion; readonly owner: Owner },
  ) => Promise<Answer>,
) {
  const message = { v: batchVersion, owner: ownerOf(call) } as const;
  const called = await callObject(
    async () => ask(batchStub(call, place), message),
    calledObject("batch", place.objectName),
  );
  return called.ok
    ? answerOf("batch", called.value)
    : err(unavailable("batch", called.error.retryAfterMs, called.error.detail));
}
