import type { ItemReader } from "./item-reader.ts";

/** In place of an item's id: before the first one. */
export const root = "root";

/**
 * Where does a turn go on that comes behind this item? The key that it has before it; 0 at the root. `null`: no such item, or
 * one between a tool's call and its result, which no engine takes apart.
 */
export function keyBehind(reader: ItemReader, itemId: string): number | null {
  if (itemId === root) return 0;
  const item = reader.item(itemId);
  if (item === null) return null;
  if (item.type === "message") return item.sequence;
  const [next] = reader.everything(item.sequence, 1).items;
  return next?.turnId === item.turnId && next.type !== "message" ? null : item.sequence;
}
