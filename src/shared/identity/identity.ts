/** What is known of a caller after identification, and what identification needs from the request. */
import type { Background } from "../contracts/background.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { Principal } from "./principal.ts";

export type Identity =
  | { readonly kind: "tenant"; readonly principal: Principal; readonly tenant: TenantConfig }
  | { readonly kind: "platform"; readonly principal: Principal };

export type IdentityRefusal = Extract<
  Refusal,
  { kind: "credential-missing" | "credential-invalid" | "dependency-unavailable" | "address-limited" }
>;

export type IdentityResult = Result<Identity, IdentityRefusal>;

export interface Caller {
  /** The request's hostname: lower case, without a port (`URL.hostname`). */
  readonly host: string;
  /** The client's IP address as the platform saw it; `null`: unknown. Asked for only where a key has an allow-list. */
  readonly address: () => string | null;
  /**
   * How long this address waits after too many wrong credentials, in milliseconds; `null`: it doesn't. Asked before one is
   * tried: a right guess that were tried and refused all the same would be remembered, and told by being sent again.
   */
  readonly waitMs: () => number | null;
  readonly background: Background;
}

/** A value for a remembered token, a promise otherwise. Never throws, never rejects. */
export type Identify = (
  authorization: string | null,
  caller: Caller,
) => IdentityResult | Promise<IdentityResult>;
