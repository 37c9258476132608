import type { HistoryOutcome, LoadHistory } from "../../src/shared/contracts/conversation.ts";
import { placeOf } from "../../src/shared/turn/durable/item-path.ts";
import { keyBehind } from "./branch-point.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";
import { latestSummary } from "./summaries.ts";

/** What a turn goes on from: the latest items of the active branch, or up to one item, and what was said before in short. */
export function latestItems(
  sql: SqlStorage,
  { branches, reader }: ConversationStore,
  { branch, incarnation }: Head,
  { upTo = null, limitItems, limitTokens }: LoadHistory,
): HistoryOutcome {
  const end = upTo === null ? null : keyBehind(reader, upTo);
  if (upTo !== null && end === null) return { result: "item-unknown" };
  const path = end === null ? branches.path(branch) : branches.pathTo(placeOf(end));
  const summary = latestSummary(sql, path);
  const { items, truncated } = reader.latest(summary.rest, { items: limitItems, tokens: limitTokens });
  return { result: "ok", items, truncated, incarnation, summary: summary.text };
}
