/** Which heading is a chat listed under? Depends on the day when it was begun, which users remember. Pure. */
import type { ListedConversation } from "./conversations-api.ts";

export interface ChatGroup {
  readonly heading: string;
  readonly entries: readonly ListedConversation[];
}

/** In the order of the list, newest first; each heading once. */
export function chatGroups(entries: readonly ListedConversation[], nowMs: number): readonly ChatGroup[] {
  const groups: { heading: string; entries: ListedConversation[] }[] = [];
  for (const entry of entries) {
    const heading = headingOf(entry.begunMs, nowMs);
    const group = groups.find((known) => known.heading === heading);
    if (group === undefined) groups.push({ heading, entries: [entry] });
    else group.entries.push(entry);
  }
  return groups;
}

/** Days begin at midnight in the reader's time zone. If the reader's clock is behind the server's, later times count as today. */
function headingOf(begunMs: number, nowMs: number): string {
  const days = dayOf(nowMs) - dayOf(begunMs);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days <= 7) return "Previous 7 days";
  if (days <= 30) return "Previous 30 days";
  return new Date(begunMs).toLocaleDateString("en", { month: "long", year: "numeric" });
}

function dayOf(ms: number): number {
  const date = new Date(ms);
  // Calendar days, which are not all 24 hours long.
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
}
