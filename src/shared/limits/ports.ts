import type { ChargeId } from "../contracts/ids.ts";
import type { LimitRefusal, Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";

/** What a turn asks to be let in for. */
export interface AdmissionRequest {
  readonly principal: Principal;
  readonly tenant: TenantConfig;
  /** Idempotency key of the charge: asking twice with one id reserves once. */
  readonly chargeId: ChargeId;
  /** Tokens of the prompt, estimated. */
  readonly promptTokens: number;
  /** Tokens of answer to set aside (at most what `max_tokens` allows). */
  readonly answerTokens: number;
}

/** The limit nearest to refusal, for `x-ratelimit-*`. */
export interface LimitStanding {
  readonly requests: { readonly limit: number; readonly remaining: number; readonly resetMs: number };
  readonly tokens: { readonly limit: number; readonly remaining: number; readonly resetMs: number };
}

/** Tokens set aside for one charge in the user's and the org's bucket together, until it is settled, once. */
export interface Reservation {
  readonly chargeId: ChargeId;
  readonly standing: LimitStanding;
  /** Tokens reserved so far. */
  readonly tokens: number;
  /** Raise the reservation to `totalTokens`. Resolves at once where a loan covers it. `false`: nothing left. */
  extend(totalTokens: number): boolean | Promise<boolean>;
  /**
   * Replace the reservation by what was used. Idempotent. Returns at once; the report to the bucket is batched and goes
   * out under `Background`. A turn that never reached a model settles 0 tokens; a turn refused for its own fault
   * (validation after admission) also returns its request.
   */
  settle(used: { readonly tokens: number; readonly requests: 0 | 1 }): void;
}

export interface Admission {
  /** At most one round trip (user and org asked at the same time), none where a loan covers both. */
  admit(request: AdmissionRequest): Promise<Result<Reservation, AdmissionFailure>>;
}

export type CredentialRevoked = Extract<Refusal, { kind: "credential-invalid" }>;

export type AdmissionFailure =
  | { readonly kind: "limited"; readonly limit: LimitRefusal }
  /** The user's or org's bucket says that this credential was revoked. */
  | CredentialRevoked
  /** The bucket could not be asked and the tenant's policy is closed. */
  | {
      readonly kind: "dependency-unavailable";
      readonly component: "bucket";
      readonly retryAfterMs: number;
      readonly detail: string;
    };
