import {
  type AppendOutcome,
  type AppendTurn,
  maxItemBytes,
} from "../../src/shared/contracts/conversation.ts";
import { keyBehind } from "./branch-point.ts";
import type { Access } from "./conversation-access.ts";
import { type ConversationStore, fits } from "./conversation-store.ts";

/** Saves a turn, whole, once; the conversation's first one makes it. Where nothing is to be saved, nothing is written. */
export function appendTurn(
  storage: DurableObjectStorage,
  store: ConversationStore,
  access: Exclude<Access, { kind: "refused" }>,
  message: AppendTurn,
): AppendOutcome {
  if (message.items.length === 0) return { result: "released" };
  if ((access.head?.incarnation ?? 1) !== message.incarnation) return { result: "superseded" };
  if (access.kind !== "open" && message.mustExist) return { result: "unknown" };
  const known = access.kind === "open" ? store.appended(message.turnId) : null;
  if (known !== null) return { result: "already-appended", firstSequence: known };
  const { items, behind = null, responseId = null, title = null } = message;
  if (!items.every(fits)) return { result: "item-too-large", maxBytes: maxItemBytes };
  const nowMs = Date.now();
  const firstSequence = storage.transactionSync(() => {
    if (access.kind !== "open") store.open(message.id, message.owner, "{}", nowMs);
    const first = store.append({
      turnId: message.turnId,
      items,
      // An item that was deleted while the turn ran is no place any more: the turn goes to the end.
      behind: behind === null ? null : keyBehind(store.reader, behind),
      responseId,
      nowMs,
    });
    if (access.kind !== "open" || access.head.titleBy === null) store.setTitle(title, "rule", nowMs);
    return first;
  });
  return { result: "appended", firstSequence };
}
