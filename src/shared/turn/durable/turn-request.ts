import type { TurnPolicy } from "../../contracts/generation.ts";
import type { Result } from "../../contracts/result.ts";
import { err, ok } from "../../contracts/result.ts";
import type { Principal } from "../../identity/principal.ts";
import type { ResponseTurn } from "../../responses/stored-response.ts";
import type { ClientPlace } from "../../routing/ports.ts";
import type { OfferedTools } from "../../tools/offered-tools.ts";
import type { TenantConfig } from "../../tenancy/tenant-config.ts";
import type { ConversationRef } from "../conversation-name.ts";

/**
 * Everything that a durable turn's run needs, as JSON. It is stored with the turn, and may be read by older or newer code than the one that wrote it.
 * `Chat` is the validated request body.
 */
export interface TurnRequest<Chat> {
  readonly v: 1;
  /** As clients see it (`chatcmpl-…`). */
  readonly responseId: string;
  /** The charge id: `StartTurn.turnId`. */
  readonly turnId: string;
  readonly requestId: string;
  readonly traceparent: string;
  readonly principal: SerialPrincipal;
  readonly tenant: TenantConfig;
  readonly chat: Chat;
  /** The request for a response (`POST /v1/responses`), if it was one; `chat` is its translation. */
  readonly response?: ResponseTurn;
  /** Names of the server tools that its model is offered. Absent: none. */
  readonly tools?: OfferedTools;
  readonly conversation: ConversationRef | null;
  readonly place: ClientPlace;
  readonly createdMs: number;
  /** Whether the answer can be had by its id when its journal is gone. Absent in requests of older code. */
  readonly stored?: boolean;
  /** What the screen found in the prompt: kinds and counts. */
  readonly screened?: string;
  /** Set for a batch's line: a replica takes it only if it has spare capacity. Absent: a client waits for it. */
  readonly yields?: true;
}

/** A `Principal` as JSON can hold it. */
export type SerialPrincipal = Omit<Principal, "scopes"> & { readonly scopes: readonly string[] };

export function serialPrincipal(principal: Principal): SerialPrincipal {
  return { ...principal, scopes: [...principal.scopes] };
}

export function revivePrincipal(serial: SerialPrincipal): Principal {
  // A turn that older code wrote has neither its credential's time of issue nor its API key.
  const { issuedAtMs = 0, key = null } = serial as Partial<SerialPrincipal>;
  return { ...serial, issuedAtMs, key, scopes: new Set(serial.scopes) };
}

/**
 * Reads what `JSON.stringify` made of a `TurnRequest`. Only the version is checked: the writer is our own edge, which
 * validated everything, and nobody else can reach the object.
 */
export function readTurnRequest<Chat>(
  text: string,
): Result<TurnRequest<Chat>, { readonly kind: "version-unknown"; readonly version: unknown }> {
  const value = JSON.parse(text) as TurnRequest<Chat>;
  return value.v === 1 ? ok(value) : err({ kind: "version-unknown", version: value.v });
}

const dayMs = 86_400_000;
/** For a client that comes back after a lost connection. */
const resumeMs = 600_000;

/** How long the final response stays behind the turn's end. */
export function retentionMs(tenant: Pick<TenantConfig, "journal">, stored: boolean): number {
  return stored ? tenant.journal.retention_days * dayMs : 0;
}

/**
 * From the tenant's configuration: how often a turn's journal is written, and how long the turn may be replayed, is kept, and may run.
 *
 * @param claimedMs how long a claim (an Idempotency-Key) leads to the ended turn; `null` where none did
 * @param stored whether the final response outlives the journal (`store`, a conversation turn's default, background)
 */
export function turnPolicy(tenant: TenantConfig, stored: boolean, claimedMs: number | null): TurnPolicy {
  return {
    intervalMs: tenant.journal.interval_ms,
    replayMs: claimedMs ?? resumeMs,
    retentionMs: retentionMs(tenant, stored),
    // The run keeps the deadline itself; the object's own is for a run that does not.
    deadlineMs: (tenant.requests.deadline_seconds + 15) * 1000,
  };
}
