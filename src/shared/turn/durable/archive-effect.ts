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

/** The parts of the request that a row needs. */
export interface ArchivedRequest {
  readonly tenant: TenantConfig;
  readonly principal: Pick<Principal, "tenant" | "org" | "user" | "tier" | "key">;
  readonly chargeId: string;
  readonly responseId: string;
  readonly createdMs: number;
  readonly endpoint: string;
  /** The turn's conversation, even if that did not take it. */
  readonly conversation: { readonly objectName: string } | null;
}

/** The tenant's `archive.keep`. Turns that older code began do not say. */
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
 * @param items the messages of a turn that the API keeps outside of a conversation; `null`: none are kept
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
 * The row of a turn whose `append` was delivered: with its place if the conversation took it, and without content if it did
 * not (deleted meanwhile, an item too large). `null`: no row is wanted, or the conversation's answer is not final yet.
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
