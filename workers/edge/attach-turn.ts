/**
 * Was this asked before? Whoever sends a request again is told what came of it, whatever has changed since: a model that was removed, a store
 * that was deleted, a policy. So a claim's object is asked before anything else may refuse the request, or costs something for it (a guard
 * model, a reader of files).
 */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { generationVersion, type Follow, type TurnPolicy } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { ok, type Result } from "../../src/shared/contracts/result.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { claimedId, type TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import type { IdKind } from "../../src/shared/turn/response-id.ts";
import { guardOf } from "./judged-request.ts";
import { generationStub, mostUses, startedTurn, type TurnContext, type TurnStarted } from "./start-turn.ts";

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

/** `null`: it was not, or its object could not be asked, which whoever starts it is told. */
export async function attachTurn(
  from: TurnContext,
  { kind, claim, policy, follow, onNamed }: TurnToFind,
): Promise<Result<TurnStarted | null, Refusal>> {
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
    if (!called.ok || called.value.result === "absent") return ok(null);
    if (called.value.result === "expired") continue;
    return startedTurn(called.value, { responseId: id, request: null }, principal);
  }
  return ok(null);
}
