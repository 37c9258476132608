/** The values that stay the same for all attempts to send one message. */
export interface Sending {
  readonly key: string;
  /** The item that it follows; absent: the end of the conversation. */
  readonly behind: string | undefined;
}

/**
 * Which Idempotency-Key does a message get? After a connection lost before any answer, it is unknown whether the turn runs: sent
 * again with the same key, the message leads to that turn; with another key it would be asked, and paid, twice.
 */
export class SendKeys {
  #unanswered: { readonly text: string; readonly asked: string; readonly sending: Sending } | null = null;

  /**
   * @param asked the user's choices: another model or another edited message is another request
   * @param behind the item that it follows, for the first attempt
   */
  sendingOf(text: string, asked: string, behind: string | undefined): Sending {
    if (this.#unanswered?.asked !== asked)
      this.#unanswered = { text, asked, sending: { key: crypto.randomUUID(), behind } };
    return this.#unanswered.sending;
  }

  /** Answered or refused: from now on the same text is a new message. */
  answered(): void {
    this.#unanswered = null;
  }

  /** A saved message is on screen. The same text typed again is a new message. */
  shown(text: string | undefined): void {
    if (this.#unanswered?.text === text) this.#unanswered = null;
  }
}

const kept = new Map<string, SendKeys>();

/** A chat's keys outlive its view like its draft: after a look at another chat, the same message is tried again. */
export function sendKeysOf(who: string, conversation: string): SendKeys {
  const name = JSON.stringify([who, conversation]);
  const known = kept.get(name) ?? new SendKeys();
  kept.set(name, known);
  return known;
}
