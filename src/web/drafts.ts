/**
 * What was typed and not sent, chat by chat, until the page is left: whoever looks into another chat, or has to sign in again
 * because the token has ended, finds it where he left it. In memory alone: nothing of it stays in the browser.
 */
export class Drafts {
  readonly #texts = new Map<string, string>();

  of(who: string, conversation: string): string {
    return this.#texts.get(JSON.stringify([who, conversation])) ?? "";
  }

  keep(who: string, conversation: string, text: string): void {
    const key = JSON.stringify([who, conversation]);
    if (text === "") this.#texts.delete(key);
    else this.#texts.set(key, text);
  }

  /** A message that came back unsent after its chat was left: before what has been typed in it since. */
  giveBack(who: string, conversation: string, text: string): void {
    const since = this.of(who, conversation);
    this.keep(who, conversation, since === "" ? text : `${text}\n\n${since}`);
  }
}

export const drafts = new Drafts();
