/** A conversation's branches, to choose between; and all of it, to take along. */
import {
  conversationVersion,
  type ConversationFailure,
  type DescribeOutcome,
  type ExportOutcome,
  type ListBranchesOutcome,
  type ListedBranch,
} from "../../../src/shared/contracts/conversation.ts";
import { placeOf } from "../../../src/shared/turn/durable/item-path.ts";
import { publicItem } from "../../../src/shared/turn/durable/conversation-items.ts";
import type { ConversationRef } from "../../../src/shared/turn/conversation-name.ts";
import { askConversation, conversationInPath } from "../ask-conversation.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { branchName, publicConversation, publicPage } from "../public-conversation.ts";
import { baseHeaders, respondJson, respondRefusal } from "../respond.ts";
import { ownerOf } from "../run-durable.ts";

type Answer<Outcome> = Exclude<Outcome, ConversationFailure>;

/** `GET /v1/conversations/{id}/branches` */
export const listConversationBranches: TenantHandler = async (call) => {
  const { scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const listed = await branchesOf(call, conversation.value);
  return listed.ok
    ? respondJson(scope, publicPage(listed.value.branches.map(publicBranch), false))
    : respondRefusal(scope, listed.error);
};

/** `GET /v1/conversations/{id}/export`: read page by page as it is written, so that its length costs no memory. */
export const exportConversation: TenantHandler = async (call) => {
  const { scope } = call;
  const conversation = await conversationInPath(call);
  if (!conversation.ok) return respondRefusal(scope, conversation.error);
  const described = await askConversation<Answer<DescribeOutcome>>(call, conversation.value, async (stub) =>
    stub.describe({ v: conversationVersion, owner: ownerOf(call) }),
  );
  if (!described.ok) return respondRefusal(scope, described.error);
  const branches = await branchesOf(call, conversation.value);
  if (!branches.ok) return respondRefusal(scope, branches.error);
  const head = {
    object: "conversation.export",
    exported_at: Math.floor(scope.startedMs / 1000),
    conversation: publicConversation(described.value),
    branches: branches.value.branches.map(publicBranch),
  };
  scope.record.status = 200;
  scope.finish();
  return new Response(exportStream(call, conversation.value, JSON.stringify(head)), {
    headers: {
      ...baseHeaders(scope),
      "content-type": "application/json",
      "content-disposition": 'attachment; filename="conversation.json"',
    },
  });
};

async function branchesOf(call: TenantCall, conversation: ConversationRef) {
  return askConversation<Answer<ListBranchesOutcome>>(call, conversation, async (stub) =>
    stub.branches({ v: conversationVersion, owner: ownerOf(call) }),
  );
}

function exportStream(
  call: TenantCall,
  conversation: ConversationRef,
  head: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let above = 0;
  let begun = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = await askConversation<Answer<ExportOutcome>>(call, conversation, async (stub) =>
        stub.exportItems({ v: conversationVersion, owner: ownerOf(call), above }),
      );
      // Without its end it is no JSON: nobody takes a part for the whole.
      if (!page.ok) return controller.error(new Error("the conversation can't be read to its end"));
      const { items, hasMore } = page.value;
      let text = begun ? "" : `${head.slice(0, -1)},"items":[`;
      for (const item of items) {
        text += `${above === 0 ? "" : ","}${JSON.stringify(exported(item))}`;
        above = item.sequence;
      }
      begun = true;
      controller.enqueue(encoder.encode(hasMore ? text : `${text}]}\n`));
      if (!hasMore) controller.close();
    },
  });
}

function exported(item: Parameters<typeof publicItem>[0]): Record<string, unknown> {
  const { branch, position } = placeOf(item.sequence);
  return {
    ...publicItem(item),
    created_at: Math.floor(item.createdMs / 1000),
    branch: branchName(branch),
    position,
  };
}

function publicBranch(branch: ListedBranch): Record<string, unknown> {
  return {
    id: branchName(branch.branch),
    object: "conversation.branch",
    created_at: Math.floor(branch.createdMs / 1000),
    parent_branch: branch.parent === null ? null : branchName(branch.parent),
    parent_item_id: branch.parentItemId,
    last_item_id: branch.lastItemId,
    active: branch.active,
  };
}
