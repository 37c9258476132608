/** Library and KnowledgeBase objects seen from the edge: whose they are, how they are asked, and what went wrong. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import type { KnowledgeFailure } from "../../src/shared/contracts/knowledge-base.ts";
import { libraryName, libraryVersion, type NotEnrolled } from "../../src/shared/contracts/library.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import {
  type KnowledgeKind,
  type KnowledgeRef,
  resolveKnowledge,
  tenantAsOwner,
} from "../../src/shared/retrieval/knowledge-ref.ts";
import { tenantAdmin } from "../../src/shared/wire/scopes.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { TenantCall } from "./handle.ts";
import { ownerOf } from "./run-durable.ts";

type Env = Cloudflare.Env;

/** Whose file or store something new will be, or whose are listed. The tenant's are made by its admins alone. */
export function ownerFor(call: TenantCall, forTenant: boolean): Owner {
  return forTenant ? tenantAsOwner(ownerOf(call)) : ownerOf(call);
}

/** `null`: the caller may. */
export function adminFault({ principal }: TenantCall, owner: Owner): Refusal | null {
  return owner.user === "" && !principal.scopes.has(tenantAdmin)
    ? { kind: "scope-missing", scope: tenantAdmin }
    : null;
}

/** `?visibility=`: whether the tenant's are meant. */
export function visibilityOf({ c }: TenantCall): Result<boolean, Refusal> {
  const visibility = c.req.query("visibility") ?? "user";
  return visibility === "user" || visibility === "tenant"
    ? ok(visibility === "tenant")
    : err(invalidValue("visibility", "must be 'user' or 'tenant'"));
}

/** What a path parameter means for this caller, to look at it. A guessed id wakes no object. */
export async function inPath(
  call: TenantCall,
  kind: KnowledgeKind,
  parameter = "id",
): Promise<Result<KnowledgeRef, Refusal>> {
  const id = call.c.req.param(parameter) ?? "";
  const ref = await resolveKnowledge(call.isolate.hash, id, kind, ownerOf(call));
  return ref === null ? err({ kind: "object-unknown" }) : ok(ref);
}

/** The same, to change it. */
export async function changeableInPath(
  call: TenantCall,
  kind: KnowledgeKind,
): Promise<Result<KnowledgeRef, Refusal>> {
  const ref = await inPath(call, kind);
  if (!ref.ok) return ref;
  const fault = adminFault(call, ref.value.owner);
  return fault === null ? ref : err(fault);
}

export interface OwnerPlace {
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
}

function libraryStub(env: Env, { owner, jurisdiction }: OwnerPlace) {
  return inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT).getByName(libraryName(owner));
}

/** What a question to a Library object is made of. */
export type LibraryAsked = [
  stub: ReturnType<typeof libraryStub>,
  message: OwnerPlace & { readonly v: typeof libraryVersion },
];

/** @param ask is called again where the platform says that it may be: what it asks is idempotent */
export async function askLibrary<Answer extends { readonly result: string }>(
  env: Env,
  { owner, jurisdiction }: OwnerPlace,
  ask: (...asked: LibraryAsked) => Promise<Answer>,
): Promise<Result<Exclude<Answer, KnowledgeFailure>, Refusal>> {
  const message = { v: libraryVersion, owner, jurisdiction } as const;
  const called = await callObject(
    async () => ask(libraryStub(env, { owner, jurisdiction }), message),
    calledObject("library", libraryName(owner)),
  );
  return called.ok
    ? answerOf("library", called.value)
    : err(unavailable("library", called.error.retryAfterMs, called.error.detail));
}

function storeStub(env: Env, { objectName, jurisdiction }: KnowledgeRef) {
  return inJurisdiction(env.KNOWLEDGE_BASE, jurisdiction, env.ENVIRONMENT).getByName(objectName);
}

/** As `askLibrary`, of a vector store's own object. */
export async function askStore<Answer extends { readonly result: string }>(
  env: Env,
  store: KnowledgeRef,
  ask: (
    stub: ReturnType<typeof storeStub>,
    message: { readonly v: 1; readonly owner: Owner },
  ) => Promise<Answer>,
): Promise<Result<Exclude<Answer, KnowledgeFailure>, Refusal>> {
  const message = { v: 1, owner: store.owner } as const;
  const called = await callObject(
    async () => ask(storeStub(env, store), message),
    calledObject("knowledge-base", store.objectName),
  );
  return called.ok
    ? answerOf("knowledge-base", called.value)
    : err(unavailable("knowledge-base", called.error.retryAfterMs, called.error.detail));
}

/** What an object of an owner's has answered; of none, or of another's, nothing. */
export function answerOf<Answer extends { readonly result: string }>(
  component: string,
  outcome: Answer,
): Result<Exclude<Answer, KnowledgeFailure>, Refusal> {
  if (outcome.result === "unknown") return err({ kind: "object-unknown" });
  if (outcome.result === "version-unsupported")
    return err(unavailable(component, 1000, "speaks another version"));
  return ok(outcome as Exclude<Answer, KnowledgeFailure>);
}

export function unavailable(component: string, retryAfterMs: number, detail: string): Refusal {
  return { kind: "dependency-unavailable", component, retryAfterMs, detail };
}

/** Nothing new may lie there: because it can't be asked, or because all of the tenant is being erased, which a repetition at once does not change. */
export function keptOut(component: string, { detail, closedUntilMs }: NotEnrolled): Refusal {
  if (closedUntilMs === undefined) return unavailable(component, 1000, detail);
  const until =
    closedUntilMs === 0
      ? "for some minutes"
      : `before ${new Date(closedUntilMs).toISOString().slice(0, 19)}Z`;
  return {
    kind: "conflict",
    message: `This tenant was deleted a moment ago, and what it kept is being erased: no file, no vector store and no batch is taken ${until}.`,
  };
}

export const storeExpired: Refusal = {
  kind: "conflict",
  message: "This vector store has expired, and what was in it is gone. Make a new one.",
};

/** Deleted since it was found: unknown. Out of reach, or deleted while it is read: 503. */
export async function openFile<T>(open: () => Promise<T | null>): Promise<Result<T, Refusal>> {
  try {
    const opened = await open();
    return opened === null ? err({ kind: "object-unknown" }) : ok(opened);
  } catch (error) {
    return err(unavailable("files", 1000, String(error)));
  }
}
