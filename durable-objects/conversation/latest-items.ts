import type { HistoryOutcome, LoadHistory } from "../../src/shared/contracts/conversation.ts";
import { branchAtEnd, endOfBranch, mostBranches, placeOf } from "../../src/shared/turn/durable/item-path.ts";
import { keyBehind } from "./branch-point.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";
import type { ReadItem } from "./item-reader.ts";
import { latestSummary } from "./summaries.ts";

type Ok = Extract<HistoryOutcome, { result: "ok" }>;
type LatestItems =
  | Exclude<HistoryOutcome, Ok>
  | (Omit<Ok, "items"> & { readonly items: readonly ReadItem[] });

/** The history that a turn continues: the latest items of a branch, or those up to one item, and a summary of what came before. */
export function latestItems(
  sql: SqlStorage,
  { branches, reader }: ConversationStore,
  { branch: active, incarnation }: Head,
  { upTo = null, limitItems, limitTokens }: LoadHistory,
): LatestItems {
  const branch = upTo === null ? active : branchAtEnd(upTo);
  const end = upTo === null || branch !== null ? null : keyBehind(reader, upTo);
  if (branch === null ? end === null : !branches.exists(branch)) return { result: "item-unknown" };
  if (end !== null && branches.forks(end) && branches.count() >= mostBranches)
    return { result: "branches-full", most: mostBranches };
  const path = end === null ? branches.path(branch ?? active) : branches.pathTo(placeOf(end));
  const summary = latestSummary(sql, path);
  const { items, truncated } = reader.latest(summary.rest, { items: limitItems, tokens: limitTokens });
  const behind = endOfBranch(branch ?? active);
  return { result: "ok", items, truncated, incarnation, summary: summary.text, behind };
}
