import { type AddItems, type AddOutcome, maxItemBytes } from "../../src/shared/contracts/conversation.ts";
import { fits } from "../../src/shared/turn/durable/conversation-items.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";

/** Adds items that belong to no turn of a model, once under one id. */
export function addItems(
  storage: DurableObjectStorage,
  store: ConversationStore,
  head: Head,
  { items, addId, title = null }: AddItems,
): AddOutcome {
  if (!items.every(fits)) return { result: "item-too-large", maxBytes: maxItemBytes };
  const known = store.appendedTurn(addId);
  if (known !== null && known.items !== items.length) return { result: "reused" };
  const nowMs = Date.now();
  const first =
    known?.first ??
    storage.transactionSync(() => {
      const key = store.append({ turnId: addId, items, place: null, responseId: null, nowMs });
      if (head.titleBy === null) store.setTitle(title, "rule", nowMs);
      return key;
    });
  const stored = store.reader
    .everything(first - 1, items.length)
    .items.filter(({ turnId }) => turnId === addId);
  // Some may have been taken out since.
  const isSame = stored.every(({ sequence, json }) => items[sequence - first]?.json === json);
  return isSame ? { result: "ok", items: stored } : { result: "reused" };
}
