import type { FindSummaryWork } from "../../src/shared/contracts/conversation.ts";
import { maxUnits, unitsHeld, unitsRead } from "../../src/shared/turn/durable/history-window.ts";
import { after, type Segment } from "../../src/shared/turn/durable/item-path.ts";
import type { ReadItem } from "./item-reader.ts";

/**
 * Summaries of a conversation: each stands for everything up to one item, on every branch through that item. The latest on a path counts,
 * and only the items after it are read.
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

/** A path's items, read lazily, from either end. */
export interface SummarisedPath {
  newestFirst(): Iterable<ReadItem>;
  oldestFirst(): Iterable<ReadItem>;
}

type Limits = Pick<FindSummaryWork, "afterUnits" | "keepUnits" | "mostUnits">;

/**
 * The older part, where there is too much: whole turns, oldest first, leaving the latest as they are. It goes in steps, from
 * `afterUnits` down to `keepUnits`: in between the prompt's beginning does not change, and the engine still has it.
 *
 * A summary stands for everything up to its last item: so it begins behind the one before, however much there is. What is beyond `mostUnits`
 * is for the next time.
 */
export function itemsToSummarise(
  path: SummarisedPath,
  limits: Limits,
): { readonly items: ReadItem[]; readonly through: number } | null {
  const kept = firstKept(path.newestFirst(), limits);
  if (kept === null) return null;
  const items: ReadItem[] = [];
  let taken = 0;
  let size = 0;
  let held = 0;
  for (const item of path.oldestFirst()) {
    if (items.length > taken && item.turnId !== items.at(-1)?.turnId) taken = items.length;
    if (item.id === kept) break;
    size += summaryUnitsOf(item);
    held += unitsHeld(item);
    if ((size > limits.mostUnits || held > maxUnits) && taken > 0) break;
    items.push(item);
  }
  const whole = items.slice(0, taken);
  const last = whole.at(-1);
  return last === undefined ? null : { items: whole, through: last.sequence };
}

/** Of what one load may hold: a history that is cut for its size would lose what no summary tells. */
const afterShare = 0.75;
const keepShare = 0.5;

/** The first item, from the oldest on, that stays as it is; `null`: there is little, or nothing before it. */
function firstKept(newestFirst: Iterable<ReadItem>, { afterUnits, keepUnits }: Limits): string | null {
  let units = 0;
  let held = 0;
  let kept: ReadItem | null = null;
  let isBeyond = false;
  for (const item of newestFirst) {
    units += summaryUnitsOf(item);
    held += unitsHeld(item);
    // The turn in which the limit is passed stays whole, and so does the latest, however long it is.
    const fits = units <= keepUnits && held <= maxUnits * keepShare;
    isBeyond ||= !(fits || kept === null || item.turnId === kept.turnId);
    if (!isBeyond) kept = item;
    else if (units > afterUnits || held > maxUnits * afterShare) return kept?.id ?? null;
  }
  return null;
}

/**
 * What a model reads of an item, where a token is five units (tend-conversation.ts). Of scripts whose letters are tokens, or nearly, each
 * counts as what it is: a talk in Japanese would else be cut long before it is put in short.
 */
export function summaryUnits(json: string): number {
  let units = unitsRead(json);
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code >= firstDense) units += 3;
    else if (code >= firstGreek) units += 1;
  }
  return units;
}

function summaryUnitsOf({ json, units }: ReadItem): number {
  return units?.summary ?? summaryUnits(json);
}

/** Greek, Cyrillic, Hebrew, Arabic; from Devanagari on Indic, Thai, Hangul, Kana, Han. */
const firstGreek = 0x370;
const firstDense = 0x900;
