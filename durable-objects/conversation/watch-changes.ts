import type { WatchConversation, WatchOutcome } from "../../src/shared/contracts/conversation.ts";
import type { Access } from "./conversation-access.ts";
import type { TurnGate } from "./turn-gate.ts";

/** Answers when a turn has begun, when something has changed, or when the conversation is gone. */
export async function watchChanges(
  gate: TurnGate,
  accessNow: () => Access,
  { known, seen = null, waitMs }: WatchConversation,
): Promise<WatchOutcome> {
  for (const untilMs = Date.now() + waitMs; ;) {
    const access = accessNow();
    if (access.kind === "refused") return access.failure;
    const [running = null] = gate.running(Date.now());
    // Its first turn makes a conversation when it ends: until then there is the turn alone; and where that one has left
    // nothing, whoever saw it waits for the next.
    const isAwaited = access.kind === "closed" && access.head === null && seen !== null;
    if (access.kind === "closed" && !isAwaited && running === null && known === null)
      return { result: "unknown" };
    const { changes } = gate;
    const isNew = (running?.responseId ?? null) !== known || (seen !== null && seen !== changes);
    const leftMs = untilMs - Date.now();
    if (isNew || leftMs <= 0)
      return { result: "ok", running, changes, ...(seen === null ? {} : gate.since(seen)) };
    await gate.changed(leftMs);
  }
}
