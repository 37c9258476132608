/** What is the same at each try of one message, whatever has been shown since. */
export interface Sending {
  readonly key: string;
  /** What it comes behind; absent: the end of the conversation. */
  readonly behind: string | undefined;
}

/**
 * Under which key is a message sent? A connection that is lost before any answer says nothing of whether the turn runs: tried
 * again under the same key, it leads to that turn; under another one it would be asked, and paid, twice.
 */
export class SendKeys {
  #unanswered: { readonly text: string; readonly asked: string; readonly sending: Sending } | null = null;

  /**
   * @param asked all that the user has chosen: another model or another message to edit is another request
   * @param behind where it goes, should it be the first try
   */
  sendingOf(text: string, asked: string, behind: string | undefined): Sending {
    if (this.#unanswered?.asked !== asked)
      this.#unanswered = { text, asked, sending: { key: crypto.randomUUID(), behind } };
    return this.#unanswered.sending;
  }

  /** Answered or refused: the same words are a new message from now on. */
  answered(): void {
    this.#unanswered = null;
  }

  /** A message is on screen as the server has it. Whoever types its words again means them again. */
  shown(text: string | undefined): void {
    if (this.#unanswered?.text === text) this.#unanswered = null;
  }
}

const kept = new Map<string, SendKeys>();

/** Those of a chat outlive its view, as its draft does: whoever looks into another chat and comes back tries the same message again. */
export function sendKeysOf(who: string, conversation: string): SendKeys {
  const name = JSON.stringify([who, conversation]);
  const known = kept.get(name) ?? new SendKeys();
  kept.set(name, known);
  return known;
}
