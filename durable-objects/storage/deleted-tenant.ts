/** Up to which time do objects belong to a deleted tenant, and not to a later one of the same name? */
import { lastingOf } from "../../src/shared/tenancy/lately-left.ts";
import { tenantKey } from "../../src/shared/tenancy/tenant-entries.ts";

/**
 * Asked when KV shows the deletion everywhere and no isolate knows the tenant any more.
 *
 * @returns milliseconds since 1970; `null`: unknown, since the tenant exists and was not created anew since
 */
export async function deletedThrough(
  config: Pick<KVNamespace, "get">,
  tenant: string,
  deletedMs: number,
  nowMs: number,
): Promise<number | null> {
  const entry = await config.get(tenantKey(tenant));
  if (entry === null) return nowMs - tellsWithinMs;
  const { createdAfter } = lastingOf(entry) ?? { createdAfter: 0 };
  return createdAfter >= Math.floor(deletedMs / 1000) ? createdAfter * 1000 - 1 : null;
}

/** KV shows a tenant's change everywhere within this time. */
const tellsWithinMs = 120_000;
