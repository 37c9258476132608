import { keyFields, sayNothing } from "../key-fields.ts";

/**
 * May this request be answered from one that was worded differently? Only if it is a single question whose answer depends on its words
 * alone, and none of its fields asks for a format, a sample or a tool. In doubt, no.
 */
export interface SemanticQuestion {
  /** The last user's text. */
  readonly text: string;
  /** The request with a mark in its place. */
  withMark(mark: string): Readonly<Record<string, unknown>>;
}

/** UTF-16 units. Longer texts are documents rather than questions, and reading them would cost more than it saves. */
export const maxQuestionCharacters = 2000;

/**
 * What bears on an answer without being part of its question: the same in both, since it is in the scope's key. Seeds, samples, forms,
 * grammars, tools and lists of tokens are not here, and neither is a field that a later version adds, until it is put here on purpose.
 */
const mayStand: ReadonlySet<string> = new Set([
  "messages",
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "frequency_penalty",
  "presence_penalty",
  "repetition_penalty",
  "stop",
  "max_tokens",
  "max_completion_tokens",
  "min_tokens",
  "reasoning_effort",
  "include_reasoning",
  "thinking_token_budget",
  "chat_template_kwargs",
]);

export function semanticQuestion(request: Readonly<Record<string, unknown>>): SemanticQuestion | null {
  for (const [field, value] of Object.entries(request)) {
    if (value === undefined || mayStand.has(field) || keyFields[field] === "delivery") continue;
    if (!sayNothing.has(field) || sayNothing.get(field) !== value) return null;
  }
  const { messages } = request;
  if (!Array.isArray(messages)) return null;
  const last: unknown = messages.at(-1);
  if (!isMessage(last) || last.role !== "user") return null;
  const before: readonly unknown[] = messages.slice(0, -1);
  if (!before.every((message) => isMessage(message) && isInstruction(message))) return null;
  const { content } = last;
  // Parts are joined by the engine's template, each in its own way: one text is one text everywhere.
  const isPart = Array.isArray(content) && content.length === 1 && isTextPart(content[0]);
  const text = isPart ? (content[0] as { readonly text: string }).text : content;
  if (typeof text !== "string" || text.trim() === "" || isTooLong(text)) return null;
  return {
    text,
    withMark: (mark) => ({
      ...request,
      messages: [...before, { ...last, content: isPart ? [{ ...content[0], text: mark }] : mark }],
    }),
  };
}

/** As it is read, too: one character may stand for eighteen. */
function isTooLong(text: string): boolean {
  return text.length > maxQuestionCharacters || text.normalize("NFKC").length > maxQuestionCharacters;
}

interface Message {
  readonly role: unknown;
  readonly content?: unknown;
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "role" in value;
}

function isInstruction({ role, content }: Message): boolean {
  if (role !== "system" && role !== "developer") return false;
  return typeof content === "string" || (Array.isArray(content) && content.every(isTextPart));
}

function isTextPart(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Reflect.get(value, "type") === "text" &&
    typeof Reflect.get(value, "text") === "string"
  );
}
