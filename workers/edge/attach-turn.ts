/**
 * Was this asked before? Whoever sends a request again is told what came of it, whatever has changed since: a model that was removed, a store
 * that was deleted, a policy. So a claim's object is asked before anything else may refuse the request, or costs something for it (a guard
 * model, a reader of files).
 */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { generationVersion, type Follow, type TurnPolicy } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { claimedId, type TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import type { IdKind } from "../../src/shared/turn/response-id.ts";
import { guardOf } from "./judged-request.ts";
import {
  generationStub,
  mostUses,
  objectUnavailable,
  startedTurn,
  type TurnContext,
  type TurnStarted,
} from "./start-turn.ts";

/**
 * Whether to ask. A client that names a key may be asking again; where the body alone makes the claim few do, and it is worth a call only if
 * more is spared.
 */
export function mayBeThere(
  claim: TurnClaim | null,
  tenant: TenantConfig,
  bringsFiles: boolean,
): claim is TurnClaim {
  return claim !== null && (claim.by === "key" || bringsFiles || guardOf(tenant) !== null);
}

export interface TurnToFind {
  readonly kind: IdKind;
  readonly claim: TurnClaim;
  readonly policy: TurnPolicy;
  readonly follow: Follow;
  /** Told of the answer's id before its object is asked, which may take as long as the answer does. */
  readonly onNamed?: ((responseId: string) => void) | undefined;
}

/**
 * Looked for first, which takes no time, and followed then: what breaks off in the middle of an answer must not be taken for a turn that is
 * not there.
 *
 * @returns `null`: it was not, or its object could not be asked, which whoever starts it is told
 */
export async function attachTurn(
  from: TurnContext,
  turn: TurnToFind,
): Promise<Result<TurnStarted | null, Refusal>> {
  const found = await findTurn(from, { ...turn, follow: onlyLooking });
  if (found.kind !== "found") return ok(null);
  return turn.follow.kind === "claim" || !found.started.ok ? found.started : followTurn(from, turn);
}

const onlyLooking: Follow = { kind: "claim" };

/**
 * Follows a turn that was there a moment ago. Where it is not any more, or can't be reached, the same request is right once more: it finds
 * the turn, or begins it anew. A new key would be a second turn.
 */
export async function followTurn(from: TurnContext, turn: TurnToFind): Promise<Result<TurnStarted, Refusal>> {
  const found = await findTurn(from, turn);
  if (found.kind === "found") return found.started;
  const { retryAfterMs, detail } = found.kind === "unreachable" ? found : goneSince;
  return err(objectUnavailable(retryAfterMs, detail));
}

const goneSince = { retryAfterMs: 1000, detail: "a claimed turn is gone since it was found" };

type FoundTurn =
  | { readonly kind: "found"; readonly started: Result<TurnStarted, Refusal> }
  | { readonly kind: "absent" }
  | { readonly kind: "unreachable"; readonly retryAfterMs: number; readonly detail: string };

async function findTurn(
  from: TurnContext,
  { kind, claim, policy, follow, onNamed }: TurnToFind,
): Promise<FoundTurn> {
  const { isolate, principal, tenant } = from;
  const owner = { tenant: tenant.id, user: principal.user };
  const { fingerprint } = claim;
  const message = { v: generationVersion, owner, fingerprint, policy, follow } as const;
  for (let use = 0; use < mostUses; use += 1) {
    const { id, objectName } = await claimedId(
      isolate.hash,
      kind,
      claim,
      use,
      principal,
      tenant.jurisdiction,
    );
    onNamed?.(id);
    const called = await callObject(
      async () => generationStub(from, objectName).attach(message),
      calledObject("generation", objectName),
    );
    if (!called.ok) return { ...called.error, kind: "unreachable" };
    if (called.value.result === "absent") return { kind: "absent" };
    if (called.value.result === "expired") continue;
    const named = { responseId: id, request: null };
    return { kind: "found", started: startedTurn(called.value, named, principal) };
  }
  return { kind: "absent" };
}
