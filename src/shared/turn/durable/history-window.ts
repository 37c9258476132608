/**
 * Which of a conversation's latest items are loaded for a turn. Walks from the newest backwards and stops at the
 * budget, so that the work is bounded by what is returned and not by what is kept.
 */
export interface WindowItem {
  readonly turnId: string;
  readonly json: string;
  /** Set if the item's text lies elsewhere and is fetched only if the item is wanted; `json` means nothing then. */
  readonly units?: ItemUnits;
}

/** How long an item is, in UTF-16 units. */
export interface ItemUnits {
  readonly held: number;
  /** What a model reads of it: `unitsRead`. */
  readonly read: number;
  /** Its length when the older part is summarised (durable-objects/conversation/summaries.ts). */
  readonly summary: number;
}

/** The item's size in memory and in a message. */
export function unitsHeld({ json, units }: Pick<WindowItem, "json" | "units">): number {
  return units?.held ?? json.length;
}

export interface HistoryWindow<Item> {
  /** Oldest first. */
  readonly items: Item[];
  readonly truncated: boolean;
}

/** High on purpose, since few tokens are longer: compose then has everything that fits. */
const bytesPerToken = 8;

/** The most that one load may hold in memory, whatever the model's window: UTF-16 units. */
export const maxUnits = 8_000_000;

/** An image or a sound, however large its file is: as the estimate of a prompt has it (prompt/token-estimate.ts). */
const mediaUnits = 1_600 * bytesPerToken;
/** In a text these quotes are escaped. */
const mediaBegins = ['"image_url":"data:', '"input_audio":{"data":"'];
/** An answer's citations, which no model reads. Likewise. */
const citesBegin = '"annotations":[';
const citesEnd = '],"logprobs":';

/** UTF-16 units of an item's JSON that a model reads: counted by their bytes, two photographs would push all earlier messages out of the window. */
export function unitsRead(json: string): number {
  let units = json.length;
  for (let at = json.indexOf(citesBegin); at !== -1; at = json.indexOf(citesBegin, at)) {
    const from = at + citesBegin.length;
    at = json.indexOf(citesEnd, from);
    if (at === -1) break;
    units -= at - from;
  }
  for (const begin of mediaBegins)
    for (let at = json.indexOf(begin); at !== -1; at = json.indexOf(begin, at)) {
      const from = at + begin.length;
      at = json.indexOf('"', from);
      if (at === -1) break;
      units += mediaUnits - (at - from);
    }
  return units;
}

/**
 * @param newestFirst read lazily, one past what is returned at most
 * A turn that was cut by the budget is left out whole, since half a turn may be a tool's result without its call. But
 * the newest turn alone is kept from its first `message` by the user, as far as one was reached.
 */
export function historyWindow<Item extends WindowItem & { readonly role: string | null }>(
  newestFirst: Iterable<Item>,
  limits: { readonly items: number; readonly tokens: number },
): HistoryWindow<Item> {
  const budget = Math.min(limits.tokens * bytesPerToken, maxUnits);
  const taken: Item[] = [];
  let units = 0;
  let held = 0;
  let next: Item | null = null;
  for (const item of newestFirst) {
    units += item.units?.read ?? unitsRead(item.json);
    held += unitsHeld(item);
    if (taken.length >= limits.items || ((units > budget || held > maxUnits) && taken.length > 0)) {
      next = item;
      break;
    }
    taken.push(item);
  }
  taken.reverse();
  if (next === null) return { items: taken, truncated: false };
  const cutTurn = next.turnId;
  const whole = taken.findIndex((item) => item.turnId !== cutTurn);
  const start = whole === -1 ? taken.findIndex((item) => item.role === "user") : whole;
  return { items: start === -1 ? [] : taken.slice(start), truncated: true };
}
