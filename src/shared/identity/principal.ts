import type { OrgId, TenantId, UserId } from "../contracts/ids.ts";
import type { Tier } from "../limits/tier.ts";
import type { KeyLimits } from "./key-record.ts";

/** Who is calling, and how it was proved. Made only by src/shared/identity; everything later trusts it. */
export interface Principal {
  /** `platform` for the platform's own credentials, which belong to no tenant. */
  readonly tenant: TenantId | "platform";
  readonly org: OrgId;
  readonly user: UserId;
  readonly tier: Tier;
  readonly scopes: ReadonlySet<string>;
  readonly proof: "jwt" | "api-key";
  /** When the credential ends, the issuer's clock skew included, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** When the credential was issued, in milliseconds since 1970; 0 where it doesn't say. Older than a revocation: revoked. */
  readonly issuedAtMs: number;
  /** The API key, if it is one: its id, and limits of its own in place of its user's. */
  readonly key: { readonly id: string; readonly limits: KeyLimits | null } | null;
}
