/** What was said in a conversation: listed as OpenAI lists it, added to, looked at one by one, taken out. */
import {
  conversationVersion,
  type AddOutcome,
  type ConversationFailure,
  type DescribeOutcome,
  type GetItemOutcome,
  type ListOutcome,
} from "../../../src/shared/contracts/conversation.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { publicItem } from "../../../src/shared/turn/durable/conversation-items.ts";
import { idempotencyKeyFault } from "../../../src/shared/turn/durable/turn-claim.ts";
import { titleOf } from "../../../src/shared/turn/durable/conversation-title.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import { parseConversationItems } from "../../../src/shared/wire/conversation-request.ts";
import { asOneRequest } from "../as-one-request.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { TenantHandler } from "../handle.ts";
import { branchOf, branchUnknown, includeFault, pageOf, publicPage } from "../public-conversation.ts";
import { readJsonText } from "../read-body.ts";
import { repeatedDeletion } from "../repeated-deletion.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";
import { screenedItems } from "../screened-items.ts";
import { respondDescribed } from "./conversations.ts";

type Answer<Outcome> = Exclude<Outcome, ConversationFailure>;

/** `GET /v1/conversations/{id}/items`: those of the active branch, or of `?branch=`. */
export const listConversationItems: TenantHandler = async (call) => {
  const { c, scope } = call;
  const page = pageOf(c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const branch = branchOf(c);
  if (!branch.ok) return respondRefusal(scope, branch.error);
  const fault = includeFault(c);
  if (fault !== null) return respondRefusal(scope, fault);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const listed = await askConversation<Answer<ListOutcome>>(call, conversation.value, async (stub) =>
    stub.listItems({ v: conversationVersion, owner: ownerOf(call), ...page.value, branch: branch.value }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  const outcome = listed.value;
  if (outcome.result === "ok")
    return respondJson(scope, publicPage(outcome.items.map(publicItem), outcome.hasMore));
  return respondRefusal(
    scope,
    outcome.result === "branch-unknown"
      ? branchUnknown("branch")
      : invalidValue("after", "names no item of this conversation"),
  );
};

/** `POST /v1/conversations/{id}/items`: up to 20. Screened as a prompt is: they will be part of one. Counts as a request. */
export const addConversationItems: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const key = c.req.header("idempotency-key");
  const fault = includeFault(c) ?? (key === undefined ? null : idempotencyKeyFault(key));
  if (fault !== null) return respondRefusal(scope, fault);
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseConversationItems(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const screened = await screenedItems(call, read.value);
  if (!screened.ok) return respondRefusal(scope, screened.error);
  const items = screened.value;
  // A retry of ours after a lost answer brings the same id, and adds nothing; so does a client's with its key.
  const addId = key === undefined ? `add/${crypto.randomUUID()}` : `add/key/${key}`;
  const added = await asOneRequest(call, async () => {
    const asked = await askConversation<Answer<AddOutcome>>(call, conversation.value, async (stub) =>
      stub.addItems({ v: conversationVersion, owner: ownerOf(call), addId, items, title: titleOf(items) }),
    );
    return asked.ok ? addedItems(asked.value) : asked;
  });
  return added.ok
    ? respondJson(scope, publicPage(added.value.map(publicItem), false), added.headers)
    : respondRefusal(scope, added.error, added.headers);
};

type Added = Extract<AddOutcome, { readonly result: "ok" }>;

function addedItems(outcome: Answer<AddOutcome>): Result<Added["items"], Refusal> {
  switch (outcome.result) {
    case "ok":
      return ok(outcome.items);
    case "reused":
      return err({ kind: "idempotency-reused" });
    case "item-too-large":
      return err({ kind: "body-too-large", maxBytes: outcome.maxBytes });
  }
}

/** `GET /v1/conversations/{id}/items/{item_id}` */
export const showConversationItem: TenantHandler = async (call) => {
  const { c, scope } = call;
  const fault = includeFault(c);
  if (fault !== null) return respondRefusal(scope, fault);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const itemId = c.req.param("item_id") ?? "";
  const found = await askConversation<Answer<GetItemOutcome>>(call, conversation.value, async (stub) =>
    stub.item({ v: conversationVersion, owner: ownerOf(call), itemId }),
  );
  return found.ok ? respondJson(scope, publicItem(found.value.item)) : respondRefusal(scope, found.error);
};

/** `DELETE /v1/conversations/{id}/items/{item_id}`: that item alone. Answers with the conversation, as OpenAI does. */
export const deleteConversationItem: TenantHandler = async (call) => {
  const { c, scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const itemId = c.req.param("item_id") ?? "";
  const message = { v: conversationVersion, owner: ownerOf(call) } as const;
  const left = await askConversation<Answer<DescribeOutcome>>(
    call,
    conversation.value,
    repeatedDeletion(
      async (stub): Promise<DescribeOutcome> => stub.deleteItem({ ...message, itemId }),
      async (stub) => stub.describe(message),
    ),
  );
  return left.ok ? respondDescribed(call, left.value) : respondRefusal(scope, left.error);
};
