/**
 * Unsent text for each chat, so that a user who opens another chat, or has to sign in again, finds it again. It is in memory and, for a
 * reload, in the tab's storage as long as its session (keep.ts), and never outlives either.
 */
import { isUnused, keepDraftsOfTab, keptDraftsOfTab } from "./keep.ts";
import { pairsIn } from "./kept-pairs.ts";

/** The most UTF-16 units kept over a reload, a quarter of what browsers give a page. More is only in memory. */
const mostKeptUnits = 500_000;

export class Drafts {
  readonly #texts = new Map<string, string>();
  /** The draft of the chat that was new before the reload: the current new chat has another name. */
  #ofNew: { readonly who: string; readonly text: string } | null = null;

  of(who: string, conversation: string): string {
    const known = this.#texts.get(keyOf(who, conversation));
    if (known !== undefined) return known;
    return isUnused(conversation) && this.#ofNew?.who === who ? this.#ofNew.text : "";
  }

  keep(who: string, conversation: string, text: string): void {
    if (isUnused(conversation)) this.#ofNew = null;
    const key = keyOf(who, conversation);
    if (text === "") this.#texts.delete(key);
    else this.#texts.set(key, text);
  }

  /** Puts back a message that failed after its chat was left, before any text typed since. */
  giveBack(who: string, conversation: string, text: string): void {
    const since = this.of(who, conversation);
    this.keep(who, conversation, since === "" ? text : `${text}\n\n${since}`);
  }

  /** Keeps drafts before a reload, only those of the session's user. */
  keepOverReload(who: string): void {
    const kept: [conversation: string, text: string][] = [];
    // The new chat may not have been opened since the last reload.
    if (this.#ofNew?.who === who) kept.push(["", this.#ofNew.text]);
    let units = 0;
    for (const [key, text] of this.#texts) {
      const [whose, conversation] = JSON.parse(key) as [string, string];
      if (whose !== who || units + text.length > mostKeptUnits) continue;
      units += text.length;
      kept.push([isUnused(conversation) ? "" : conversation, text]);
    }
    keepDraftsOfTab(kept.length === 0 ? null : JSON.stringify(kept));
  }

  /** Restores them after a reload. Existing drafts are newer and stay. */
  bringBack(who: string): void {
    const text = keptDraftsOfTab();
    keepDraftsOfTab(null);
    for (const [conversation, draft] of pairsIn(text)) {
      if (conversation === "") this.#ofNew = { who, text: draft };
      else if (this.of(who, conversation) === "") this.keep(who, conversation, draft);
    }
  }
}

function keyOf(who: string, conversation: string): string {
  return JSON.stringify([who, conversation]);
}

export const drafts = new Drafts();
