/** May this message be sent now? Checked before the server does: length, type, rapid fire. */

/** Characters. The server's own limit is higher; this one keeps a paste accident out of a model's window. */
export const maxMessageCharacters = 32_000;
/** At most this many messages in any `rapidFireWindowMs`. */
const maxMessagesPerWindow = 6;
const rapidFireWindowMs = 10_000;

export type SendVerdict =
  | { readonly send: true; readonly text: string }
  | { readonly send: false; readonly why: string };

/** `sentAtMs`: when the last messages were sent, oldest first. */
export function judgeSend(draft: unknown, sentAtMs: readonly number[], nowMs: number): SendVerdict {
  if (typeof draft !== "string") return { send: false, why: "Only text can be sent." };
  const text = draft.trim();
  if (text === "") return { send: false, why: "Type a message first." };
  if (text.length > maxMessageCharacters) {
    const over = (text.length - maxMessageCharacters).toLocaleString("en");
    return {
      send: false,
      why: `The message is ${over} characters too long. Shorten it or send it in parts.`,
    };
  }
  const oldest = sentAtMs.at(-maxMessagesPerWindow);
  // If the clock was set back, the time since then is unknown.
  if (oldest !== undefined && nowMs >= oldest && nowMs - oldest < rapidFireWindowMs) {
    const seconds = Math.ceil((rapidFireWindowMs - (nowMs - oldest)) / 1000);
    return { send: false, why: `That was quick. You can send again in ${seconds} s.` };
  }
  return { send: true, text };
}
