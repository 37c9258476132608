import type {
  FindSummaryWork,
  SaveSummary,
  SaveSummaryOutcome,
  SummaryWork,
} from "../../src/shared/contracts/conversation.ts";
import { placeOf } from "../../src/shared/turn/durable/item-path.ts";
import type { ConversationStore, Head } from "./conversation-store.ts";
import type { ReadItem } from "./item-reader.ts";
import { itemsToSummarise, latestSummary, saveSummary } from "./summaries.ts";

/** The part of the active branch that is to be summarised; `null`: it is too short. */
export function summaryWork(
  sql: SqlStorage,
  { branches, reader }: ConversationStore,
  { branch, incarnation }: Head,
  limits: FindSummaryWork,
): (Omit<SummaryWork, "items"> & { readonly items: readonly ReadItem[] }) | null {
  const { text: previous, through: previousThrough, rest } = latestSummary(sql, branches.path(branch));
  const found = itemsToSummarise(
    { newestFirst: () => reader.newestFirst(rest), oldestFirst: () => reader.oldestFirst(rest) },
    limits,
  );
  return found === null ? null : { incarnation, previous, previousThrough, ...found };
}

/** Saves a summary, where what it was made of is still what is there. */
export function replaceSummary(
  sql: SqlStorage,
  { branches, reader }: ConversationStore,
  { incarnation }: Head,
  message: SaveSummary,
): SaveSummaryOutcome {
  if (incarnation !== message.incarnation) return { result: "superseded" };
  const place = placeOf(message.through);
  if (!branches.exists(place.branch)) return { result: "superseded" };
  const before = latestSummary(sql, branches.pathTo(place));
  if (before.through !== message.previousThrough) return { result: "superseded" };
  // One that was taken out while the model wrote would live on in the summary.
  const { itemCount } = message;
  if (itemCount !== undefined && reader.count(before.rest) !== itemCount) return { result: "superseded" };
  saveSummary(sql, message.through, message.text, Date.now());
  return { result: "saved" };
}
