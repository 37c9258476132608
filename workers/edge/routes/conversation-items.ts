/** `GET /v1/conversations/{id}/items`: what was said, paged as OpenAI pages it. */
import {
  conversationVersion,
  type ConversationFailure,
  type ListOutcome,
} from "../../../src/shared/contracts/conversation.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { publicItem } from "../../../src/shared/turn/durable/conversation-items.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { EdgeContext, TenantHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

interface Page {
  readonly after: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export const listConversationItems: TenantHandler = async (call) => {
  const { c, scope } = call;
  const page = pageOf(c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const listed = await askConversation<Exclude<ListOutcome, ConversationFailure>>(
    call,
    conversation.value,
    async (stub) => stub.listItems({ v: conversationVersion, owner: ownerOf(call), ...page.value }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const outcome = listed.value;
  if (outcome.result === "after-unknown")
    return respondRefusal(scope, {
      kind: "value-invalid",
      param: "after",
      message: "names no item of this conversation",
    });
  const data = outcome.items.map(publicItem);
  const [first] = outcome.items;
  return respondJson(scope, {
    object: "list",
    data,
    first_id: first?.id ?? null,
    last_id: outcome.items.at(-1)?.id ?? null,
    has_more: outcome.hasMore,
  });
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
