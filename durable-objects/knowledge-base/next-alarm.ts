/** When does a vector store's alarm ring next, for whichever of its reasons is first? */
import type { Head, KnowledgeStore } from "./knowledge-store.ts";
import { rememberedMs } from "./knowledge-tables.ts";
import type { OutsideMoves } from "./outside-moves.ts";
import type { PassageStore } from "./passage-store.ts";

const dayMs = 86_400_000;

/** `Infinity`: never. */
export function nextAlarmMs(store: KnowledgeStore, passages: PassageStore, outside: OutsideMoves): number {
  const head = store.head();
  if (head === null) return Infinity;
  const { deletedMs, expiredMs, eraseMs } = head;
  const alwaysMs = Math.min(eraseMs ?? Infinity, outside.nextDueMs(head));
  if (deletedMs !== null) return outside.owes ? alwaysMs : Math.min(deletedMs + rememberedMs, alwaysMs);
  if (expiredMs !== null) return alwaysMs;
  const recutMs = passages.isRecutDue() ? 0 : Infinity;
  const fileMs = outside.isBehind(head) ? Infinity : (store.files.nextDueMs() ?? Infinity);
  return Math.min(fileMs, expiryOf(head), recutMs, alwaysMs);
}

export function expiryOf({ activeMs, expiresAfterDays }: Head): number {
  return expiresAfterDays === null ? Infinity : activeMs + expiresAfterDays * dayMs;
}
