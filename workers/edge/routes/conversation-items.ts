/** `GET /v1/conversations/{id}/items`: what was said, paged as OpenAI pages it. */
import { callObject } from "../../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../../durable-objects/storage/jurisdiction.ts";
import { conversationVersion } from "../../../src/shared/contracts/conversation.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { resolveConversation } from "../../../src/shared/turn/conversation-name.ts";
import { publicItem } from "../../../src/shared/turn/durable/conversation-items.ts";
import type { EdgeContext, TenantHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

interface Page {
  readonly after: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export const listConversationItems: TenantHandler = async (call) => {
  const { c, scope, tenant, isolate } = call;
  const page = pageOf(c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const owner = ownerOf(call);
  const conversation = await resolveConversation(isolate.hash, c.req.param("id") ?? "", owner);
  if (conversation === null) return respondRefusal(scope, { kind: "object-unknown" });
  const { env } = isolate;
  const called = await callObject(async () =>
    inJurisdiction(env.CONVERSATION, tenant.jurisdiction, env.ENVIRONMENT)
      .getByName(conversation.objectName)
      .listItems({ v: conversationVersion, owner, ...page.value }),
  );
  if (!called.ok)
    return respondRefusal(scope, {
      kind: "dependency-unavailable",
      component: "conversation",
      retryAfterMs: called.error.retryAfterMs,
      detail: called.error.detail,
    });
  const outcome = called.value;
  switch (outcome.result) {
    case "ok": {
      const data = outcome.items.map(publicItem);
      const [first] = outcome.items;
      return respondJson(scope, {
        object: "list",
        data,
        first_id: first?.id ?? null,
        last_id: outcome.items.at(-1)?.id ?? null,
        has_more: outcome.hasMore,
      });
    }
    case "after-unknown":
      return respondRefusal(scope, {
        kind: "value-invalid",
        param: "after",
        message: "names no item of this conversation",
      });
    case "unknown":
      return respondRefusal(scope, { kind: "object-unknown" });
    case "version-unsupported":
      return respondRefusal(scope, {
        kind: "dependency-unavailable",
        component: "conversation",
        retryAfterMs: 1000,
        detail: `speaks version ${outcome.supported}`,
      });
  }
};

function pageOf(c: EdgeContext): Result<Page, Refusal> {
  const limit = c.req.query("limit") ?? "20";
  const order = c.req.query("order") ?? "desc";
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 100)
    return err({ kind: "value-invalid", param: "limit", message: "must be a whole number from 1 to 100" });
  if (order !== "asc" && order !== "desc")
    return err({ kind: "value-invalid", param: "order", message: "must be 'asc' or 'desc'" });
  return ok({ after: c.req.query("after") ?? null, limit: Number(limit), order });
}
