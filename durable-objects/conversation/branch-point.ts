import { branchAtEnd, mostBranches, placeOf } from "../../src/shared/turn/durable/item-path.ts";
import type { BranchStore } from "./branch-store.ts";
import { sequenceOf } from "./item-id.ts";
import type { ItemReader } from "./item-reader.ts";

/** In place of an item's id: before the first one. */
export const root = "root";

/**
 * After which key does a turn continue that was placed behind this item? 0: at the root. `null`: no such item, or one between a tool's call
 * and its result, which no engine takes apart.
 */
export function keyBehind(reader: ItemReader, itemId: string): number | null {
  if (itemId === root) return 0;
  const item = reader.item(itemId);
  if (item === null) return null;
  if (item.type === "message") return item.sequence;
  const [next] = reader.everything(item.sequence, 1).items;
  return next?.turnId === item.turnId && next.type !== "message" ? null : item.sequence;
}

/** Where a turn goes: behind a key, or at a branch's end. */
export type TurnPlace =
  | { readonly kind: "behind"; readonly key: number }
  | { readonly kind: "end"; readonly branch: number };

/**
 * Where is an answered turn saved? Behind the item that it answered, even if that item was deleted meanwhile: its key still says where it
 * was. At the end of the active branch where there is no such place, or no room for a branch.
 */
export function placeBehind(
  { branches, reader }: { readonly branches: BranchStore; readonly reader: ItemReader },
  behind: string | null,
  active: number,
): TurnPlace {
  const atEnd: TurnPlace = { kind: "end", branch: active };
  if (behind === null) return atEnd;
  const branch = branchAtEnd(behind);
  if (branch !== null) return branches.exists(branch) ? { kind: "end", branch } : atEnd;
  const key = keyBehind(reader, behind) ?? goneKey({ branches, reader }, behind);
  return key === null || (branches.forks(key) && branches.count() >= mostBranches)
    ? atEnd
    : { kind: "behind", key };
}

function goneKey(
  { branches, reader }: { readonly branches: BranchStore; readonly reader: ItemReader },
  itemId: string,
): number | null {
  const key = sequenceOf(itemId);
  return key !== null && reader.isGone(key) && branches.reaches(placeOf(key)) ? key : null;
}
