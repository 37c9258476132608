/**
 * The title of a conversation that nobody named: the first line of its user's first message, cut at a word. It is there with the first turn
 * and costs nothing; a model may write a better one afterwards.
 */
import type { NewItem } from "../../contracts/conversation.ts";
import { tidyTitle } from "../../wire/tidy-title.ts";

/** Characters, as people count them. */
const mostCharacters = 60;

/** `null`: nothing that could be one. */
export function titleOf(items: readonly NewItem[]): string | null {
  const first = items.find(({ type, role }) => type === "message" && role === "user");
  if (first === undefined) return null;
  const { content } = JSON.parse(first.json) as { readonly content?: unknown };
  const text = Array.isArray(content) ? content.map(textOf).join("\n") : textOf({ text: content });
  return tidyTitle(text, mostCharacters);
}

function textOf(part: unknown): string {
  const text = (part as { readonly text?: unknown } | null)?.text;
  return typeof text === "string" ? text : "";
}
