import type { CreateConversation, CreateOutcome } from "../../src/shared/contracts/conversation.ts";
import { itemsTooLarge } from "../../src/shared/turn/durable/conversation-items.ts";
import type { ConversationStore } from "./conversation-store.ts";

/** The items that a conversation is created with count as a turn. No turn of a Generation object has this id. */
const createdTurn = "created";

/** Writes a new conversation, with its first items and its title, in one transaction. */
export function createConversation(
  storage: DurableObjectStorage,
  store: ConversationStore,
  { id, owner, metadata, items = [], title = null }: CreateConversation,
): CreateOutcome {
  const tooLarge = itemsTooLarge(items);
  if (tooLarge !== null) return tooLarge;
  const nowMs = Date.now();
  storage.transactionSync(() => {
    store.open(id, owner, metadata, nowMs);
    if (items.length > 0) store.append({ turnId: createdTurn, items, place: null, responseId: null, nowMs });
    store.setTitle(title, "rule", nowMs);
  });
  return { result: "created", createdMs: nowMs };
}
