import { err, ok } from "../contracts/result.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { targetOf, type Admin, type AdminDeps, type AdminResult } from "./admin.ts";

/** `GET /admin/audit`: what was changed, newest first, each page checked against its chain. */
export async function auditPage(
  admin: Admin,
  page: { readonly tenant: string | undefined; readonly after: string | null; readonly limit: number },
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, page.tenant, deps);
  if (!target.ok) return target;
  if (page.after !== null && !/^[1-9]\d{0,14}$/.test(page.after))
    return err(invalidValue("after", "is no entry of this list"));
  const before = page.after === null ? null : Number(page.after);
  const { entries, hasMore, broken } = await deps.ledger(target.value).entries(before, page.limit);
  return ok({
    object: "list",
    data: entries.map(({ sequence, atMs, actor, action, subject, detail, previous, hash }) => ({
      object: "audit_entry",
      sequence,
      created_at: Math.floor(atMs / 1000),
      actor,
      action,
      subject,
      detail,
      previous_hash: previous,
      hash,
    })),
    has_more: hasMore,
    next_after: hasMore ? String(entries.at(-1)?.sequence ?? "") : null,
    broken_at: broken,
  });
}
