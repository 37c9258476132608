import { tenantIdSchema } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { readTenantEntry, tenantKey } from "../tenancy/tenant-entries.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";
import type { Ledger } from "./ledger.ts";

/**
 * Which tenant may this admin manage? A tenant's admin manages its own tenant, and every other tenant that it names does not exist for it.
 * A platform admin manages any tenant, and the platform itself if it names none.
 */
export interface Admin {
  readonly principal: Principal;
  /** `null`: the platform's. */
  readonly tenant: TenantConfig | null;
}

export interface Target {
  readonly log: string;
  readonly tenant: TenantConfig | null;
}

/** Whose ledger. */
export interface LedgerPlace {
  readonly log: string;
  readonly tenant: Pick<TenantConfig, "jurisdiction"> | null;
}

export interface AdminDeps {
  readonly hash: KeyedHash;
  readonly environment: "local" | "production";
  readonly now: () => number;
  /** So many random bytes. */
  readonly random: (length: number) => Uint8Array;
  /** KV itself: an admin must see what was written a moment ago. */
  readonly readConfig: (key: string) => Promise<string | null>;
  readonly ledger: (place: LedgerPlace) => Ledger;
  /** Revokes what the bucket's owner was given before now; when that was, in milliseconds since 1970. */
  readonly revokeOwner: (target: Target, scope: "user" | "org", id: string) => Promise<number>;
}

export type AdminResult<T> = Result<T, Refusal>;

export const unknownObject: Refusal = { kind: "object-unknown" };

export async function targetOf(
  admin: Admin,
  named: string | undefined,
  deps: Pick<AdminDeps, "readConfig">,
): Promise<AdminResult<Target>> {
  const { tenant } = admin;
  if (tenant !== null)
    return named === undefined || named === tenant.id ? ok({ log: tenant.id, tenant }) : err(unknownObject);
  if (named === undefined || named === "platform") return ok({ log: "platform", tenant: null });
  const id = tenantIdSchema.safeParse(named);
  if (!id.success) return err(unknownObject);
  const text = await deps.readConfig(tenantKey(id.data));
  if (text === null) return err(unknownObject);
  const read = readTenantEntry(text);
  if (read.ok) return ok({ log: id.data, tenant: read.value.value });
  return err({
    kind: "conflict",
    message: `The configuration of tenant '${id.data}' is broken. Write it anew.`,
  });
}

/** As the audit log names who did something. */
export function actorOf({ proof, key, tenant, user }: Principal): string {
  return `${proof}:${key === null ? "" : `${key.id}:`}${tenant}/${user}`;
}
