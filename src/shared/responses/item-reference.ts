/**
 * An item of an earlier response, named in place of itself (OpenAI's `item_reference`): which object keeps it? The Vercel AI SDK's
 * Responses provider sends back nothing else of what a response said, thought and called.
 */
import type { Item } from "./item.ts";

export interface ItemReference {
  readonly type: "item_reference";
  readonly id: string;
}

/** What an input holds before the items that it names are there. */
export type SentItem = Item | ItemReference;

/** As `itemId` makes them of an object's name (turn/response-id.ts). */
const itemIdPattern = /^[a-z]{2,3}_([0-9a-hjkmnp-tv-z]{26}[ne])[io]\d{1,5}$/;

/** The name of the object of the response that the item is of; whether there is one, and whose it is, the object knows. */
export function keeperOfItem(id: string): string | null {
  return itemIdPattern.exec(id)?.[1] ?? null;
}

export function isReference(item: SentItem): item is ItemReference {
  return item.type === "item_reference";
}
