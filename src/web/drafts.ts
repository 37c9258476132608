/**
 * What was typed and not sent, chat by chat: whoever looks into another chat, or has to sign in again because the token has ended, finds it
 * where he left it. In memory; beside it, for a reload, in this tab as long as its session (keep.ts): nothing of it outlives either.
 */
import { isUnused, keepDraftsOfTab, keptDraftsOfTab } from "./keep.ts";
import { pairsIn } from "./kept-pairs.ts";

/** UTF-16 units of all that are kept over a reload together, a quarter of what browsers give a page. More is in memory alone. */
const mostKeptUnits = 500_000;

export class Drafts {
  readonly #texts = new Map<string, string>();
  /** Of the chat that was new before the reload: the new one of now has another name. */
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

  /** A message that came back unsent after its chat was left: before what has been typed in it since. */
  giveBack(who: string, conversation: string, text: string): void {
    const since = this.of(who, conversation);
    this.keep(who, conversation, since === "" ? text : `${text}\n\n${since}`);
  }

  /** Before a reload: those of one user alone, whose session it is. */
  keepOverReload(who: string): void {
    const kept: [conversation: string, text: string][] = [];
    // The new chat may not have been looked at since the last reload.
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

  /** Behind it. What is there already is newer. */
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
