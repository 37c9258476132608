/** A conversation itself: make it, look at it, change it, forget it. */
import {
  conversationVersion,
  type CreateOutcome,
  type ConversationFailure,
  type DeleteOutcome,
  type DescribeOutcome,
  type UpdateOutcome,
} from "../../../src/shared/contracts/conversation.ts";
import { err, ok } from "../../../src/shared/contracts/result.ts";
import { resolveConversation } from "../../../src/shared/turn/conversation-name.ts";
import { titleOf } from "../../../src/shared/turn/durable/conversation-title.ts";
import { mintId } from "../../../src/shared/turn/response-id.ts";
import {
  parseConversationCreation,
  parseConversationUpdate,
} from "../../../src/shared/wire/conversation-request.ts";
import { branchUnknown, publicConversation, publicDeletion } from "../public-conversation.ts";
import { asOneRequest } from "../as-one-request.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { repeatedDeletion } from "../repeated-deletion.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";
import { screenedItems } from "../screened-items.ts";

type Answer<Outcome> = Exclude<Outcome, ConversationFailure>;

/** `POST /v1/conversations`. What the items say is screened as a prompt is: they will be part of one. Counts as a request. */
export const createConversation: TenantHandler = async (call) => {
  const { scope, tenant, isolate } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseConversationCreation(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const screened = await screenedItems(call, read.value);
  if (!screened.ok) return respondRefusal(scope, screened.error);
  const items = screened.value;
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
  const title = titleOf(items);
  const metadata = JSON.stringify(read.value.metadata);
  const created = await asOneRequest<number>(call, async () => {
    const asked = await askConversation<Answer<CreateOutcome>>(call, conversation, async (stub) =>
      stub.create({ v: conversationVersion, owner, id, metadata, items, title }),
    );
    if (!asked.ok) return asked;
    const { value } = asked;
    // `exists`: the first call arrived, and its answer did not.
    return value.result === "item-too-large"
      ? err({ kind: "body-too-large", maxBytes: value.maxBytes })
      : ok(value.createdMs);
  });
  const { headers } = created;
  if (!created.ok) return respondRefusal(scope, created.error, headers);
  const createdMs = created.value;
  return respondJson(scope, publicConversation({ id, createdMs, metadata, title, branch: 0 }), headers);
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

/** `POST /v1/conversations/{id}`: its metadata, all of them; its title; the branch that is the active one. */
export const updateConversation: TenantHandler = async (call) => {
  const { scope, tenant } = call;
  const text = await readJsonText(call.c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const read = parseConversationUpdate(text.value);
  if (!read.ok) return respondRefusal(scope, read.error);
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const { metadata, title, branch } = read.value;
  const updated = await askConversation<Answer<UpdateOutcome>>(call, conversation.value, async (stub) =>
    stub.update({
      v: conversationVersion,
      owner: ownerOf(call),
      ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
      ...(title === undefined ? {} : { title }),
      ...(branch === undefined ? {} : { branch }),
    }),
  );
  if (!updated.ok) return respondRefusal(scope, updated.error);
  return updated.value.result === "ok"
    ? respondDescribed(call, updated.value)
    : respondRefusal(scope, branchUnknown("active_branch"));
};

/** `DELETE /v1/conversations/{id}`: everything that was said is erased. */
export const deleteConversation: TenantHandler = async (call) => {
  const { scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const deleted = await askConversation<Answer<DeleteOutcome>>(
    call,
    conversation.value,
    repeatedDeletion(
      async (stub): Promise<DeleteOutcome> =>
        stub.delete({ v: conversationVersion, owner: ownerOf(call), id: conversation.value.id }),
      async (): Promise<DeleteOutcome> => ({ result: "deleted" }),
    ),
  );
  if (!deleted.ok) return respondRefusal(scope, deleted.error);
  const { record } = deleted.value;
  return respondJson(scope, {
    id: conversation.value.id,
    object: "conversation.deleted",
    deleted: true,
    ...(record === undefined ? {} : { deletion: publicDeletion(record) }),
  });
};

export function respondDescribed(
  { scope }: Pick<TenantCall, "scope">,
  described: Answer<DescribeOutcome>,
): Response {
  return respondJson(scope, publicConversation(described));
}
