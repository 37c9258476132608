import type { Principal } from "../identity/principal.ts";
import type { CredentialRevoked } from "./admission-failure.ts";
import type { BucketState } from "./bucket-state.ts";

/**
 * Which credentials of a bucket's owner count no more? Two things ride on every answer of the bucket, and so on every loan:
 * its *epoch* (a moment: whatever was issued before it is revoked) and the API keys that were revoked lately one by one.
 * An isolate compares them with the principal before it lets a turn in. Pure.
 */
export type RevokeCommand =
  | { readonly version: 1; readonly what: "everything-issued-before-now" }
  | { readonly version: 1; readonly what: "key"; readonly keyId: string };

/** For so long a bucket names a revoked key: by then its record in KV says the same everywhere. */
export const revokedKeyMs = 24 * 60 * 60_000;
/** The oldest goes where there are more: it is in KV for the longest. */
const maxRevokedKeys = 256;

/** Idempotent, but that a second `everything-issued-before-now` also revokes what was issued since the first. */
export function revoke(bucket: BucketState, command: RevokeCommand, now: number): void {
  if (command.what === "everything-issued-before-now") {
    bucket.epoch = Math.max(bucket.epoch, now);
    return;
  }
  bucket.revokedKeys.delete(command.keyId);
  bucket.revokedKeys.set(command.keyId, now + revokedKeyMs);
  for (const id of bucket.revokedKeys.keys()) {
    if (bucket.revokedKeys.size <= maxRevokedKeys) return;
    bucket.revokedKeys.delete(id);
  }
}

/** What an isolate has seen of one bucket's revocations. They only ever grow, so that answers may arrive in any order. */
export class SeenRevocations {
  #epoch = 0;
  #keys: Set<string> | null = null;
  #seenAtMs = 0;

  /** When the bucket last answered, in milliseconds since 1970; 0: never. */
  get seenAtMs(): number {
    return this.#seenAtMs;
  }

  /** `askedAtMs`: when the question left: the answer may be as old as that. */
  note(
    answer: { readonly epoch: number; readonly revokedKeys?: readonly string[] },
    askedAtMs: number,
  ): void {
    if (answer.epoch > this.#epoch) this.#epoch = answer.epoch;
    for (const id of answer.revokedKeys ?? []) (this.#keys ??= new Set()).add(id);
    if (askedAtMs > this.#seenAtMs) this.#seenAtMs = askedAtMs;
  }

  revokes({ issuedAtMs, key }: Pick<Principal, "issuedAtMs" | "key">): boolean {
    return issuedAtMs < this.#epoch || (this.#keys !== null && key !== null && this.#keys.has(key.id));
  }
}

/** The refusal of a revoked credential: the same as of one that was never valid. */
export function revokedCredential({ key }: Pick<Principal, "key">): CredentialRevoked {
  return { kind: "credential-invalid", credential: key === null ? "token" : "key", detail: "revoked" };
}
