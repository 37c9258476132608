/**
 * What do screen readers announce when `before` has become `now`? An answer is read once, at its end; otherwise it would be read
 * word by word while it is written, and an opened chat from its first message to its last.
 */
import type { ChatMessage, ChatState } from "./chat-state.ts";

const endings: Readonly<Record<string, string>> = {
  stopped: "Stopped. ",
  filtered: "Ended by the content policy. ",
  cut: "The answer ended early. ",
};

/** A model may end without any text, which no conversation stores. Without this note the page would seem broken. */
export const noAnswer = "The model gave no answer. Ask again, or in other words.";

export function isNoAnswer({ role, status, text }: ChatMessage): boolean {
  return role === "assistant" && status === "done" && text === "";
}

/** `null`: nothing to announce. */
export function toldOf(before: ChatState, now: ChatState): string | null {
  if (now.phase === "waiting" && before.phase !== "waiting" && before.phase !== "stopping")
    return "Waiting for the answer";
  if (now.phase !== "idle" || before.phase === "idle" || before.phase === "restoring") return null;
  const answer = now.messages.at(-1);
  const running = before.messages.at(-1);
  if (answer === undefined || answer.id !== running?.id || answer.role !== "assistant") {
    // A refusal is announced by its notice.
    return before.phase === "stopping" && now.notice === before.notice ? "Stopped" : "";
  }
  if (isNoAnswer(answer)) return noAnswer;
  return `${endings[answer.status] ?? ""}Assistant: ${spoken(answer.text)}`;
}

/** Without the marks of Markdown, which some readers pronounce. */
function spoken(text: string): string {
  return text
    .replaceAll(/[`*_#|~>]+/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}
