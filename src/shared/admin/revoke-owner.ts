import { err, ok } from "../contracts/result.ts";
import type { RevocationRequest } from "../wire/admin-requests.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { actorOf, targetOf, type Admin, type AdminDeps, type AdminResult } from "./admin.ts";

/**
 * `POST /admin/revocations`: all tokens and keys of a user, or of an org, that were issued before now. The audit entry is written first, so
 * that nothing is revoked without one. If a bucket can't be reached the request fails, and can be repeated.
 */
export async function revokeOwner(
  admin: Admin,
  request: RevocationRequest,
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, request.tenant, deps);
  if (!target.ok) return target;
  const { user = null, org = null } = request;
  if (org !== null && target.value.tenant === null)
    return err(invalidValue("org", "is not for the platform"));
  const scope = user === null ? "org" : "user";
  const id = user ?? org ?? "";
  await deps.ledger(target.value).change(actorOf(admin.principal), {
    type: "note",
    entry: { action: "credentials.revoke", subject: `${scope}:${id}`, detail: {} },
  });
  const atMs = await deps.revokeOwner(target.value, scope, id);
  return ok({
    object: "revocation",
    tenant: target.value.log,
    user,
    org,
    revoked_before: Math.ceil(atMs / 1000),
  });
}
