import type { FindSummaryWork, StoredItem } from "../../src/shared/contracts/conversation.ts";
import { maxUnits, unitsRead } from "../../src/shared/turn/durable/history-window.ts";
import { after, type Segment } from "../../src/shared/turn/durable/item-path.ts";

/**
 * What was said before, in short: each summary stands for everything up to one item, on whichever branches lead through
 * it. Of a path the latest counts, and only what lies behind it is read.
 */
export function latestSummary(
  sql: SqlStorage,
  path: readonly Segment[],
): { readonly text: string | null; readonly through: number; readonly rest: readonly Segment[] } {
  for (const { above, upTo } of path) {
    const [found] = sql
      .exec<{ through: number; text: string }>(
        "SELECT through, text FROM summary WHERE through > ? AND through <= ? ORDER BY through DESC LIMIT 1",
        above,
        upTo,
      )
      .toArray();
    if (found !== undefined)
      return { text: found.text, through: found.through, rest: after(path, found.through) };
  }
  return { text: null, through: 0, rest: path };
}

export function saveSummary(sql: SqlStorage, through: number, text: string, nowMs: number): void {
  sql.exec("INSERT OR REPLACE INTO summary VALUES (?, ?, ?)", through, text, nowMs);
}

/**
 * The older part, where there is too much: whole turns, oldest first, leaving the latest as they are. It goes in steps, from
 * `afterUnits` down to `keepUnits`: in between the prompt's beginning does not change, and the engine still has it. Units are those
 * that a model reads: one picture would else put in short all that was said before it.
 */
export function itemsToSummarise(
  newestFirst: Iterable<StoredItem>,
  { afterUnits, keepUnits, mostUnits }: Pick<FindSummaryWork, "afterUnits" | "keepUnits" | "mostUnits">,
): { readonly items: StoredItem[]; readonly through: number } | null {
  const older: StoredItem[] = [];
  let units = 0;
  let held = 0;
  let keptTurn: string | null = null;
  for (const item of newestFirst) {
    units += unitsRead(item.json);
    held += item.json.length;
    // The turn in which the limit is passed stays whole, and so does the latest, however long it is.
    if (units <= keepUnits || keptTurn === null || (older.length === 0 && item.turnId === keptTurn))
      keptTurn = item.turnId;
    else older.push(item);
    // More than twice as much is not looked at: the rest is for the next time.
    if (units > afterUnits + 2 * mostUnits || held > maxUnits) break;
  }
  if (units <= afterUnits || older.length === 0) return null;
  older.reverse();
  let taken = 0;
  let size = 0;
  for (const [at, item] of older.entries()) {
    size += unitsRead(item.json);
    if (size > mostUnits && taken > 0) break;
    if (older[at + 1]?.turnId !== item.turnId) taken = at + 1;
  }
  const items = older.slice(0, taken === 0 ? older.length : taken);
  const last = items.at(-1);
  return last === undefined ? null : { items, through: last.sequence };
}
