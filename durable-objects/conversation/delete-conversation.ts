import type { DeleteConversation } from "../../src/shared/contracts/conversation.ts";
import { base32 } from "../../src/shared/turn/base32.ts";
import type { RunningTurn } from "../../src/shared/turn/durable/turn-order.ts";
import type { Access } from "./conversation-access.ts";
import type { ConversationStore } from "./conversation-store.ts";

/**
 * Erases what is there, and prevents what would come: the first turn creates its conversation when it ends, so a deletion before then must
 * keep it from being created. What turns left that were not saved goes as well, also where no other made the conversation. `false`: there is
 * nothing at all.
 *
 * @param running turns in progress, whose objects erase what they hold
 */
export function deleteConversation(
  storage: DurableObjectStorage,
  store: ConversationStore,
  access: Exclude<Access, { kind: "refused" }>,
  { id, owner }: DeleteConversation,
  running: readonly RunningTurn[],
  deletedMs: number,
): boolean {
  const isNothing = running.length === 0 && !store.unsaved.areAny(deletedMs);
  if (access.kind === "closed" && (id === undefined || isNothing)) return false;
  return storage.transactionSync(() => {
    if (access.kind === "closed" && id !== undefined) store.open(id, owner, "{}", deletedMs);
    const head = store.head();
    if (head === null) return false;
    store.erase(
      running.map(({ responseId }) => responseId),
      {
        id: `del_${base32(crypto.getRandomValues(new Uint8Array(16)), 24)}`,
        conversationId: head.id.startsWith("conv_") ? head.id : null,
        deletedMs,
        items: head.items,
        turns: store.turns(),
        turnsPending: 0,
        recoverableUntilMs: deletedMs + recoveryWindowMs,
      },
    );
    return true;
  });
}

/** SQLite objects can be brought back to any point in the last 30 days: Cloudflare's point-in-time recovery. */
const recoveryWindowMs = 30 * 86_400_000;
