/**
 * Messages to a Session object (one socket), and between it and the buckets that it is registered with. Each carries a version: during a
 * rollout old callers meet new objects and new callers old ones.
 */
import type { ClientPlace } from "../routing/ports.ts";
import type { SerialPrincipal } from "../turn/durable/turn-request.ts";
import type { Jurisdiction } from "./owner.ts";

export const sessionVersion = 1;

/** With the upgrade request, as URI-encoded JSON: a socket can't cross by a method. */
export const openingHeader = "x-edgewise-session";

export interface SessionOpening {
  readonly v: typeof sessionVersion;
  /** The object's own name. */
  readonly session: string;
  /** Of the upgrade. */
  readonly requestId: string;
  readonly tenant: string;
  readonly jurisdiction: Jurisdiction;
  readonly principal: SerialPrincipal;
  readonly place: ClientPlace;
  /** `null`: none is chosen. */
  readonly protocol: string | null;
  /** The longest message that is read: the tenant's `requests.max_body_bytes` at the upgrade. */
  readonly maxMessageUnits: number;
  /** When the socket is closed at the latest, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** To a bucket: tell this session when a credential of the bucket's owner is revoked. */
export interface OpenSocket {
  readonly v: typeof sessionVersion;
  readonly session: string;
  readonly jurisdiction: Jurisdiction;
  readonly untilMs: number;
  readonly issuedAtMs: number;
  readonly keyId: string | null;
}

/** `full`: as many sockets as one bucket keeps are open. */
export type OpenSocketOutcome = { readonly result: "open" | "revoked" | "full" };

export interface CloseSocket {
  readonly v: typeof sessionVersion;
  readonly session: string;
}

/** From a bucket. */
export interface CredentialsRevoked {
  readonly v: typeof sessionVersion;
  /** What was issued before is revoked, in milliseconds since 1970; 0: nothing by its time. */
  readonly epoch: number;
  /** The API key that is revoked; `null`: none by its id. */
  readonly keyId: string | null;
}

/** The session's answer. Older code gives none. */
export interface StillThere {
  readonly there: boolean;
}

/** Whether a revocation means this credential. */
export function isRevokedBy(
  credential: { readonly issuedAtMs: number; readonly keyId: string | null },
  { epoch, keyId }: Pick<CredentialsRevoked, "epoch" | "keyId">,
): boolean {
  return credential.issuedAtMs < epoch || (keyId !== null && credential.keyId === keyId);
}
