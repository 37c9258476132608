/**
 * A tenant has one change at a time, and a hostname, or an issuer with its audience, belongs to one tenant. KV has no compare-and-set, and
 * other locations see a write a minute later. So each change is claimed in one object before KV is read
 * (durable-objects/audit-log/claim-store.ts). KV stays the source of truth: a claim ends once every location reads the same from KV.
 */
import type { LatelyLeft } from "../tenancy/lately-left.ts";

export const tenantClaimsVersion = 1;

export interface TenantChange {
  readonly tenant: string;
  /** Random, of this change. */
  readonly change: string;
  /** The KV keys by which the tenant is then found (tenant-entries.ts): none for one that is deleted. */
  readonly keys: readonly string[];
}

export interface BeginChange extends TenantChange {
  readonly v: typeof tenantClaimsVersion;
}
export interface Begun {
  readonly result: "begun";
  /** What the change before left, while KV may not show it everywhere; absent: KV shows it. */
  readonly lately?: LatelyLeft;
}
export type BeginChangeOutcome =
  | Begun
  /** Another change of this tenant is under way. */
  | { readonly result: "busy" }
  /** One of the keys is another tenant's. */
  | { readonly result: "taken"; readonly key: string; readonly by: string };

export interface ClaimsUnsupported {
  readonly result: "version-unsupported";
  readonly supported: number;
}

export interface EndChange extends BeginChange {
  /** `false`: nothing was changed. */
  readonly isKept: boolean;
  /** Absent: as before. */
  readonly leaves?: LatelyLeft;
}

export type EndChangeOutcome = { readonly result: "ended" } | ClaimsUnsupported;

/** Which of these keys are another tenant's? */
export interface HeldByOthers {
  readonly v: typeof tenantClaimsVersion;
  readonly tenant: string;
  readonly keys: readonly string[];
}
export type HeldByOthersOutcome =
  | { readonly result: "ok"; readonly keys: readonly string[] }
  | ClaimsUnsupported;

export interface TenantClaims {
  /** Idempotent. Rejects if the log can't be reached. */
  begin(change: TenantChange): Promise<BeginChangeOutcome>;
  /**
   * Of these keys those that another tenant was given lately. KV may still say here that this tenant has them: what it gives up of them is the
   * other's index. Rejects if the log can't be reached.
   */
  othersOf(tenant: string, keys: readonly string[]): Promise<readonly string[]>;
  /**
   * Never rejects: a change that is not ended ends by itself.
   *
   * @param leaves what there is of the tenant now; absent: as before
   */
  end(change: TenantChange, isKept: boolean, leaves?: LatelyLeft): Promise<void>;
}
