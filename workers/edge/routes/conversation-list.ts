/** The caller's own conversations, newest first, and what is left of those that were deleted. */
import {
  conversationIndexVersion,
  type IndexFailure,
  type ListConversationsOutcome,
  type ListDeletionsOutcome,
} from "../../../src/shared/contracts/conversation-index.ts";
import { resolveConversation } from "../../../src/shared/turn/conversation-name.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import { askIndex } from "../ask-conversation.ts";
import type { TenantHandler } from "../handle.ts";
import { pageOf, publicConversation, publicDeletion, publicPage } from "../public-conversation.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

/** `GET /v1/conversations`: by when they were made. */
export const listConversations: TenantHandler = async (call) => {
  const { scope } = call;
  const page = pageOf(call.c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const { after } = page.value;
  const owner = ownerOf(call);
  const behind = after === null ? null : await resolveConversation(call.isolate.hash, after, owner);
  const afterObject = behind?.objectName ?? null;
  const listed = await askIndex<Exclude<ListConversationsOutcome, IndexFailure>>(call, async (stub) =>
    stub.list({ v: conversationIndexVersion, owner, ...page.value, afterObject }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  if (listed.value.result === "after-unknown") return respondRefusal(scope, afterUnknown);
  return respondJson(scope, publicPage(listed.value.entries.map(publicConversation), listed.value.hasMore));
};

/** `GET /v1/conversation_deletions`: the records, newest first. */
export const listConversationDeletions: TenantHandler = async (call) => {
  const { scope } = call;
  const page = pageOf(call.c);
  if (!page.ok) return respondRefusal(scope, page.error);
  const { after, limit } = page.value;
  const listed = await askIndex<Exclude<ListDeletionsOutcome, IndexFailure>>(call, async (stub) =>
    stub.deletions({ v: conversationIndexVersion, owner: ownerOf(call), after, limit }),
  );
  if (!listed.ok) return respondRefusal(scope, listed.error);
  if (listed.value.result === "after-unknown") return respondRefusal(scope, afterUnknown);
  return respondJson(scope, publicPage(listed.value.records.map(publicDeletion), listed.value.hasMore));
};

const afterUnknown = invalidValue("after", "names nothing in this list");
