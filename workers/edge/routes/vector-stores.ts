/** Vector stores: make one, look at it, change it, erase it, search it. */
import type { CreateStoreOutcome, DeleteStoreOutcome } from "../../../src/shared/contracts/library.ts";
import type { KnowledgeFailure, StoreView } from "../../../src/shared/contracts/knowledge-base.ts";
import type { Owner } from "../../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { resolveKnowledge, type KnowledgeRef } from "../../../src/shared/retrieval/knowledge-ref.ts";
import { mintId } from "../../../src/shared/turn/response-id.ts";
import {
  parseVectorStoreCreation,
  parseVectorStoreSearch,
  parseVectorStoreUpdate,
  type WantedFile,
} from "../../../src/shared/wire/vector-store-request.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import {
  adminFault,
  askLibrary,
  askStore,
  changeableInPath,
  inPath,
  keptOut,
  type LibraryAsked,
  ownerFor,
  storeExpired,
  visibilityOf,
} from "../ask-knowledge.ts";
import { asOneRequest } from "../as-one-request.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { knowledgeSource } from "../knowledge-source.ts";
import { mostPassages } from "../outside-vectors.ts";
import { publicPage } from "../public-conversation.ts";
import { idPageOf, publicResults, publicStore } from "../public-knowledge.ts";
import { readJsonText } from "../read-body.ts";
import { repeatedDeletion } from "../repeated-deletion.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

/** `POST /v1/vector_stores`: counts as a request. */
export const createVectorStore: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseVectorStoreCreation(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const { forTenant, files, ...definition } = read.value;
  const owner = ownerFor(call, forTenant);
  const fault = adminFault(call, owner) ?? (await filesFault(call, owner, files, "file_ids"));
  if (fault !== null) return respondRefusal(scope, fault);
  const { jurisdiction, retrieval } = tenant;
  const { id: storeId } = await mintId(isolate.hash, {
    kind: "vectorStore",
    owner,
    jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const created = await asOneRequest(call, async () => {
    const asked = await askLibrary(isolate.env, { owner, jurisdiction }, async (stub, message) =>
      stub.createStore({
        ...message,
        storeId,
        definition,
        files,
        maxStores: retrieval.max_vector_stores,
        maxPassages: mostPassages(isolate.env, tenant),
      }),
    );
    return asked.ok ? madeStore(asked.value) : asked;
  });
  return created.ok
    ? respondJson(scope, publicStore(created.value, owner), created.headers)
    : respondRefusal(scope, created.error, created.headers);
};

function madeStore(outcome: Exclude<CreateStoreOutcome, KnowledgeFailure>): Result<StoreView, Refusal> {
  switch (outcome.result) {
    case "ok":
      return ok(outcome.store);
    case "full":
      return err({
        kind: "value-invalid",
        param: null,
        message: `There are ${outcome.most} vector stores already, the most that this tenant allows. Delete some first.`,
      });
    case "file-unknown":
      return err({ kind: "object-unknown", namedBy: "file_ids" });
    case "unreachable":
      return err(keptOut("knowledge-base", outcome));
  }
}

/**
 * Every file is one of the owner's: what lies in a store is read by all who may read the store, and goes with the file. `null`: they are.
 */
export async function filesFault(
  call: TenantCall,
  owner: Owner,
  files: readonly WantedFile[],
  namedBy: "file_id" | "file_ids" | "files",
): Promise<Refusal | null> {
  for (const { fileId } of files) {
    const ref = await resolveKnowledge(call.isolate.hash, fileId, "file", ownerOf(call));
    if (ref === null) return { kind: "object-unknown", namedBy };
    if (ref.isTenants !== (owner.user === ""))
      return invalidValue(
        namedBy,
        ref.isTenants
          ? "names a file of the whole tenant: a vector store of your own takes your own files"
          : "names a file of your own: a vector store of the whole tenant takes the tenant's files",
      );
  }
  return null;
}

/** `GET /v1/vector_stores`: each as its own object says it is now. */
export const listVectorStores: TenantHandler = async (call) => {
  const { c, scope, isolate, tenant } = call;
  const page = idPageOf(c, 100, 20);
  if (!page.ok) return respondRefusal(scope, page.error);
  const visibility = visibilityOf(call);
  if (!visibility.ok) return respondRefusal(scope, visibility.error);
  const owner = ownerFor(call, visibility.value);
  for (const cursor of ["after", "before"] as const) {
    const id = page.value[cursor];
    if (id !== null && (await resolveKnowledge(isolate.hash, id, "vectorStore", owner)) === null)
      return respondRefusal(scope, invalidValue(cursor, "names nothing in this list"));
  }
  const listed = await askLibrary(
    isolate.env,
    { owner, jurisdiction: tenant.jurisdiction },
    async (stub, message) => stub.listStores({ ...message, ...page.value }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const described = await describeAll(call, owner, listed.value.ids);
  if (!described.ok) return respondRefusal(scope, described.error);
  return respondJson(
    scope,
    publicPage(
      described.value.map((store) => publicStore(store, owner)),
      listed.value.hasMore,
    ),
  );
};

/** How many objects are asked at once: a Worker opens six connections. */
const atOnce = 6;

async function describeAll(
  call: TenantCall,
  owner: Owner,
  ids: readonly string[],
): Promise<Result<readonly StoreView[], Refusal>> {
  const stores: StoreView[] = [];
  for (let at = 0; at < ids.length; at += atOnce) {
    const described = await Promise.all(
      ids.slice(at, at + atOnce).map(async (id) => {
        const ref = await resolveKnowledge(call.isolate.hash, id, "vectorStore", owner);
        return ref === null ? err({ kind: "object-unknown" } as const) : describe(call, ref);
      }),
    );
    for (const one of described)
      if (one.ok) stores.push(one.value);
      // Deleted since it was listed, or not made yet.
      else if (one.error.kind !== "object-unknown") return one;
  }
  return ok(stores);
}

async function describe(
  { isolate: { env } }: TenantCall,
  store: KnowledgeRef,
): Promise<Result<StoreView, Refusal>> {
  const described = await askStore(env, store, async (stub, message) => stub.describe(message));
  return described.ok ? ok(described.value.store) : described;
}

/** `GET /v1/vector_stores/{id}` */
export const showVectorStore: TenantHandler = async (call) => {
  const { scope } = call;
  const ref = await inPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const described = await describe(call, ref.value);
  return described.ok
    ? respondJson(scope, publicStore(described.value, ref.value.owner))
    : respondRefusal(scope, described.error);
};

/** `POST /v1/vector_stores/{id}` */
export const updateVectorStore: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const change = parseVectorStoreUpdate(text.value);
  if (!change.ok) return respondRefusal(scope, change.error);
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const updated = await askStore(isolate.env, ref.value, async (stub, message) =>
    stub.update({ ...message, ...change.value }),
  );
  if (!updated.ok) return respondRefusal(scope, updated.error);
  return updated.value.result === "ok"
    ? respondJson(scope, publicStore(updated.value.store, ref.value.owner))
    : respondRefusal(scope, storeExpired);
};

/** `DELETE /v1/vector_stores/{id}` */
export const deleteVectorStore: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const ref = await changeableInPath(call, "vectorStore");
  if (!ref.ok) return respondRefusal(scope, ref.error);
  const { id } = ref.value;
  const remove = repeatedDeletion<LibraryAsked, DeleteStoreOutcome>(
    async (stub, message) => stub.deleteStore({ ...message, storeId: id }),
    async () => ({ result: "deleted" }),
  );
  const deleted = await askLibrary(isolate.env, ref.value, remove);
  return deleted.ok
    ? respondJson(scope, { id, object: "vector_store.deleted", deleted: true })
    : respondRefusal(scope, deleted.error);
};

/**
 * `POST /v1/vector_stores/{id}/search`: counts as a request and costs its owner no tokens. Without that, whoever may search could keep
 * a store, or the fleet's embedder, busy for all others.
 */
export const searchVectorStore: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const search = parseVectorStoreSearch(text.value);
  if (!search.ok) return respondRefusal(scope, search.error);
  scope.mark("validate");
  const id = call.c.req.param("id") ?? "";
  const found = await asOneRequest(call, () =>
    knowledgeSource(isolate, ownerOf(call)).search(id, search.value),
  );
  return found.ok
    ? respondJson(scope, publicResults(search.value.queries, found.value), found.headers)
    : respondRefusal(scope, found.error, found.headers);
};
