/**
 * Under which key is a message sent? A connection that is lost before any answer says nothing of whether the turn runs: tried
 * again under the same key, it leads to that turn; under another one it would be asked, and paid, twice.
 */
export class SendKeys {
  #unanswered: { readonly text: string; readonly asked: string; readonly key: string } | null = null;

  /** @param asked all that the request says: another model or place is another request */
  keyOf(text: string, asked: string): string {
    if (this.#unanswered?.asked !== asked) this.#unanswered = { text, asked, key: crypto.randomUUID() };
    return this.#unanswered.key;
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
