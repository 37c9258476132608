/** What is searched for? The user's last message; if that is short ("And the second one?"), with the one before it. Pure. */
import { type ChatMessage, flattenContent } from "../prompt/chat-message.ts";

/** UTF-16 units below which a question hardly says what it is about. */
const shortCharacters = 40;
/** Of a longer message its beginning and its end, which is where people ask. */
const mostCharacters = 4_000;

export type AskedQuery =
  | { readonly kind: "whole"; readonly query: string }
  /**
   * Too short for itself, or empty (a tool's result alone), and the request brings nothing before it: the conversation's history
   * may.
   */
  | { readonly kind: "wants-earlier"; readonly query: string };

export function queryOf(messages: readonly ChatMessage[]): AskedQuery {
  const [last, before] = latestTexts(messages);
  if (last === undefined) return { kind: "wants-earlier", query: "" };
  if (last.length >= shortCharacters) return { kind: "whole", query: bounded(last) };
  return before === undefined
    ? { kind: "wants-earlier", query: last }
    : { kind: "whole", query: bounded(`${before}\n${last}`) };
}

/** The query for a question that refers to earlier messages. Empty: no message of a user has any text. */
export function withHistory(query: string, history: readonly ChatMessage[]): string {
  if (query === "") return queryOf(history).query;
  const [before] = latestTexts(history);
  return before === undefined ? query : bounded(`${before}\n${query}`);
}

/** The texts of the user's messages, latest first; at most two. */
function latestTexts(messages: readonly ChatMessage[]): string[] {
  const texts: string[] = [];
  for (let at = messages.length - 1; at >= 0 && texts.length < 2; at -= 1) {
    const message = messages[at];
    if (message?.role !== "user") continue;
    const text = flattenContent(message.content).trim();
    if (text !== "") texts.push(text);
  }
  return texts;
}

function bounded(text: string): string {
  if (text.length <= mostCharacters) return text;
  const half = mostCharacters / 2;
  return `${text.slice(0, half)}\n${text.slice(-half)}`.toWellFormed();
}
