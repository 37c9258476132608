import {
  type AppendOutcome,
  type AppendTurn,
  maxTurnUnits,
} from "../../src/shared/contracts/conversation.ts";
import { itemsTooLarge } from "../../src/shared/turn/durable/conversation-items.ts";
import { placeBehind } from "./branch-point.ts";
import { type Access, incarnationOf } from "./conversation-access.ts";
import type { ConversationStore } from "./conversation-store.ts";

/** Saves a turn, whole, once; the first turn creates the conversation. */
export function appendTurn(
  storage: DurableObjectStorage,
  store: ConversationStore,
  access: Exclude<Access, { kind: "refused" }>,
  message: AppendTurn,
): AppendOutcome {
  if (message.items.length === 0) return { result: "released" };
  if (incarnationOf(access) !== message.incarnation) return { result: "superseded" };
  if (access.kind !== "open" && message.mustExist) return { result: "unknown" };
  const known = access.kind === "open" ? store.appendedTurn(message.turnId) : null;
  if (known !== null) return { result: "already-appended", firstSequence: known.first };
  const { items, behind = null, responseId = null, title = null, askedMs } = message;
  const tooLarge = itemsTooLarge(items, maxTurnUnits);
  if (tooLarge !== null) return tooLarge;
  const nowMs = Date.now();
  const firstSequence = storage.transactionSync(() => {
    if (access.kind !== "open")
      store.open(message.id, message.owner, "{}", nowMs, Math.min(nowMs, askedMs ?? nowMs));
    const first = store.append({
      turnId: message.turnId,
      items,
      place: placeBehind(store, behind, store.head()?.branch ?? 0),
      responseId,
      nowMs,
    });
    if (access.kind !== "open" || access.head.titleBy === null) store.setTitle(title, "rule", nowMs);
    return first;
  });
  return { result: "appended", firstSequence };
}
