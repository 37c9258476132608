import type { AddItems, AddOutcome, StoredItem } from "../../src/shared/contracts/conversation.ts";
import { itemsTooLarge } from "../../src/shared/turn/durable/conversation-items.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";
import type { ReadItem } from "./item-reader.ts";

/**
 * Adds items that belong to no turn of a model, once under one id.
 *
 * @param whole fetches the text of those whose row has none
 */
export async function addItems(
  storage: DurableObjectStorage,
  store: ConversationStore,
  head: Head,
  { items, addId, title = null }: AddItems,
  whole: (items: readonly ReadItem[]) => Promise<readonly StoredItem[]>,
): Promise<AddOutcome> {
  const tooLarge = itemsTooLarge(items);
  if (tooLarge !== null) return tooLarge;
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
  const stored = store.reader.ofTurn(addId, first, items.length);
  // What was just stored is what was given; of what was known some may have been taken out since.
  const given = stored.map(({ units: _units, ...item }) => ({
    ...item,
    json: items[item.sequence - first]?.json ?? "",
  }));
  if (known === null) return { result: "ok", items: given };
  const kept = await whole(stored);
  const isSame = kept.every(({ json }, at) => given[at]?.json === json);
  return isSame ? { result: "ok", items: kept } : { result: "reused" };
}
