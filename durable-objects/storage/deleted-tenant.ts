/** Of a tenant that was deleted: up to which time do objects belong to it, and not to a later tenant of the same name? */
import { lastingOf } from "../../src/shared/tenancy/lately-left.ts";
import { tenantKey } from "../../src/shared/tenancy/tenant-entries.ts";

/**
 * Asked when KV tells everybody of the deletion, and no isolate knows the tenant any more.
 *
 * @returns milliseconds since 1970; `null`: nothing can be said, since it is there, and was not made anew since
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

/** Within this KV tells of a tenant everywhere. */
const tellsWithinMs = 120_000;
