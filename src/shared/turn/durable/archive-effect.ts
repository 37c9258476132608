/**
 * What does the archive get of a durable turn that has ended? Its row goes with the turn's own effects: beside the append to the
 * conversation, since only the conversation knows the turn's position, else as an effect of its own. Pure.
 */
import type { ArchivedCharge, ArchivedTurn } from "../../archive/ports.ts";
import type { NewItem } from "../../contracts/conversation.ts";
import type { Principal } from "../../identity/principal.ts";
import type { TenantConfig } from "../../tenancy/tenant-config.ts";
import type { TurnFacts } from "../turn-facts.ts";
import type { Delivery, Effect } from "./ports.ts";

/** What a row takes of the request. */
export interface ArchivedRequest {
  readonly tenant: TenantConfig;
  readonly principal: Pick<Principal, "tenant" | "org" | "user" | "tier" | "key">;
  readonly chargeId: string;
  readonly responseId: string;
  readonly createdMs: number;
  readonly endpoint: string;
  /** Whose turn it was, also where the conversation did not take it. */
  readonly conversation: { readonly objectName: string } | null;
}

/** What the tenant keeps. Turns that older code began say nothing of it. */
export function archivePolicy(tenant: TenantConfig): TenantConfig["archive"]["keep"] {
  return (tenant as Partial<TenantConfig>).archive?.keep ?? "content";
}

export function chargeOf(
  request: ArchivedRequest,
  facts: TurnFacts,
  way: ArchivedCharge["way"],
): ArchivedCharge {
  const { tenant, principal } = request;
  const { status, model, cluster, attempts, usage, basis, microdollars, price, screened, guarded, endedMs } =
    facts;
  return {
    chargeId: request.chargeId,
    tenant: principal.tenant,
    org: principal.org,
    user: principal.user,
    tier: principal.tier,
    keyId: principal.key?.id ?? null,
    jurisdiction: tenant.jurisdiction,
    way,
    endpoint: request.endpoint,
    responseId: request.responseId,
    status,
    model,
    cluster,
    attempts,
    usage,
    basis,
    microdollars,
    price,
    screened,
    guarded,
    createdMs: request.createdMs,
    endedMs,
  };
}

/**
 * The effects with the archive's.
 *
 * @param items what was said, of a turn that the API keeps and no conversation has; `null`: nothing of it is kept
 */
export function withArchive(
  effects: readonly Effect[],
  request: ArchivedRequest,
  facts: TurnFacts,
  items: () => readonly NewItem[] | null,
): readonly Effect[] {
  const keep = archivePolicy(request.tenant);
  if (keep === "nothing") return effects;
  const charge = chargeOf(request, facts, "durable");
  const keepsContent = keep === "content";
  if (effects.some(({ kind }) => kind === "append"))
    return effects.map((effect) =>
      effect.kind === "append" ? { ...effect, archive: { charge, keepsContent } } : effect,
    );
  const turn: ArchivedTurn = {
    ...charge,
    conversation:
      request.conversation === null
        ? null
        : { conversation: request.conversation.objectName, sequence: null },
    items: keepsContent ? (items() ?? []) : null,
  };
  return [...effects, { kind: "archive", turn }];
}

/**
 * The row of a turn whose `append` was delivered: with its place where the conversation took it, and without content where it did
 * not (deleted meanwhile, an item too large). `null`: none is wanted, or the conversation has not answered for good yet.
 */
export function appendedTurn(
  effect: Extract<Effect, { kind: "append" }>,
  delivery: Delivery,
): ArchivedTurn | null {
  if (effect.archive === undefined || delivery.result !== "acknowledged") return null;
  const { charge, keepsContent } = effect.archive;
  const sequence = delivery.sequence ?? null;
  return {
    ...charge,
    conversation: { conversation: effect.objectName, sequence },
    items: keepsContent ? (sequence === null ? [] : effect.items) : null,
  };
}
