/** A conversation itself: make it, look at it, change its metadata, forget it, look at one item. */
import {
  conversationVersion,
  type CreateOutcome,
  type ConversationFailure,
  type DeleteOutcome,
  type DescribeOutcome,
  type GetItemOutcome,
} from "../../../src/shared/contracts/conversation.ts";
import { resolveConversation } from "../../../src/shared/turn/conversation-name.ts";
import { itemsOfMessages, publicItem } from "../../../src/shared/turn/durable/conversation-items.ts";
import { summary } from "../../../src/shared/turn/screen-request.ts";
import { mintId } from "../../../src/shared/turn/response-id.ts";
import { screenPrompt } from "../../../src/shared/safety/screen-prompt.ts";
import {
  parseConversationCreation,
  parseConversationUpdate,
} from "../../../src/shared/wire/conversation-request.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

type Answer<Outcome> = Exclude<Outcome, ConversationFailure>;

/** `POST /v1/conversations`. What the items say is screened as a prompt is: they will be part of one. */
export const createConversation: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseConversationCreation(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const screened = await screenPrompt(read.value.messages, tenant.safety, isolate.screen);
  if (screened.kind === "refused") return respondRefusal(scope, screened.refusal);
  const findings = summary(screened.findings);
  if (findings !== null) scope.record.screened = findings;
  const owner = ownerOf(call);
  const { id } = await mintId(isolate.hash, {
    kind: "conversation",
    owner,
    jurisdiction: tenant.jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const conversation = await resolveConversation(isolate.hash, id, owner);
  if (conversation === null) throw new Error("an id that was just made names nothing");
  const created = await askConversation<Answer<CreateOutcome>>(call, conversation, async (stub) =>
    stub.create({
      v: conversationVersion,
      owner,
      id,
      metadata: JSON.stringify(read.value.metadata),
      items: itemsOfMessages(screened.messages),
    }),
  );
  if (!created.ok) return respondRefusal(scope, created.error);
  // `exists`: the first call arrived, and its answer did not.
  if (created.value.result === "item-too-large")
    return respondRefusal(scope, { kind: "body-too-large", maxBytes: created.value.maxBytes });
  return respondJson(scope, {
    id,
    object: "conversation",
    created_at: Math.floor(created.value.createdMs / 1000),
    metadata: read.value.metadata,
  });
};

/** `GET /v1/conversations/{id}` */
export const showConversation: TenantHandler = async (call) => {
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(call.scope, conversation.error);
  const described = await askConversation<Answer<DescribeOutcome>>(call, conversation.value, async (stub) =>
    stub.describe({ v: conversationVersion, owner: ownerOf(call) }),
  );
  return described.ok ? respondDescribed(call, described.value) : respondRefusal(call.scope, described.error);
};

/** `POST /v1/conversations/{id}`: its metadata, all of them. */
export const updateConversation: TenantHandler = async (call) => {
  const { scope, tenant } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseConversationUpdate(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const metadata = JSON.stringify(read.value);
  const updated = await askConversation<Answer<DescribeOutcome>>(call, conversation.value, async (stub) =>
    stub.update({ v: conversationVersion, owner: ownerOf(call), metadata }),
  );
  return updated.ok ? respondDescribed(call, updated.value) : respondRefusal(scope, updated.error);
};

/** `DELETE /v1/conversations/{id}`: everything that was said is erased. */
export const deleteConversation: TenantHandler = async (call) => {
  const { scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const deleted = await askConversation<Answer<DeleteOutcome>>(call, conversation.value, async (stub) =>
    stub.delete({ v: conversationVersion, owner: ownerOf(call) }),
  );
  if (!deleted.ok) return respondRefusal(scope, deleted.error);
  return respondJson(scope, { id: conversation.value.id, object: "conversation.deleted", deleted: true });
};

/** `GET /v1/conversations/{id}/items/{item_id}` */
export const showConversationItem: TenantHandler = async (call) => {
  const { c, scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const itemId = c.req.param("item_id") ?? "";
  const found = await askConversation<Answer<GetItemOutcome>>(call, conversation.value, async (stub) =>
    stub.item({ v: conversationVersion, owner: ownerOf(call), itemId }),
  );
  return found.ok ? respondJson(scope, publicItem(found.value.item)) : respondRefusal(scope, found.error);
};

function respondDescribed({ scope }: TenantCall, described: Answer<DescribeOutcome>): Response {
  return respondJson(scope, {
    id: described.id,
    object: "conversation",
    created_at: Math.floor(described.createdMs / 1000),
    metadata: JSON.parse(described.metadata) as unknown,
  });
}
