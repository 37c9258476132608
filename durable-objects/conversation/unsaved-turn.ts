/**
 * A turn of which nothing was saved may be kept by its own object all the same, by its id. With which deletion of the conversation does it go? With
 * the last one, where it belongs before that; else with the next, also where no conversation was made by this name yet.
 */
import type { AppendOutcome, AppendTurn } from "../../src/shared/contracts/conversation.ts";
import { type Access, incarnationOf } from "./conversation-access.ts";
import type { ConversationStore } from "./conversation-store.ts";

/** A day: longer than a claim leads to a turn that is kept no longer. */
const leastKeptMs = 86_400_000;

/** `doomed`: it is to be erased now. `noted`: with the next deletion. */
export function noteUnsaved(
  store: ConversationStore,
  access: Exclude<Access, { kind: "refused" }>,
  message: AppendTurn,
  { result }: AppendOutcome,
  nowMs: number,
): "doomed" | "noted" | "nothing" {
  const { responseId = null, keptMs } = message;
  const isUnsaved = result === "released" || result === "superseded" || result === "item-too-large";
  if (!isUnsaved || responseId === null) return "nothing";
  if (access.head !== null && (result === "superseded" || isBeforeDeletion(access, message))) {
    store.doomed.add(responseId);
    return "doomed";
  }
  if (access.kind === "open") store.noteResponse(message.turnId, responseId);
  // What must exist, and does not, never will.
  else if (message.mustExist) return "nothing";
  else store.unsaved.note(responseId, nowMs + Math.max(leastKeptMs, keptMs ?? 0), nowMs);
  return "noted";
}

/** Whether the last deletion was of what this turn belongs to. */
function isBeforeDeletion(
  access: Exclude<Access, { kind: "refused" }>,
  { began = null, askedMs = null }: AppendTurn,
): boolean {
  if (began !== null) return began < incarnationOf(access);
  const deletedMs = access.head?.deletion?.deletedMs ?? access.head?.deletedMs ?? null;
  return askedMs !== null && deletedMs !== null && askedMs <= deletedMs;
}
