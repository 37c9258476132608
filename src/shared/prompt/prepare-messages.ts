/**
 * Which messages does the engine get, before they are trimmed to the window? All of them, in order, without anything that an engine or a
 * template refuses.
 */
import { ok, type Result } from "../contracts/result.ts";
import { type OrphanedResult, pairCalls } from "./answered-calls.ts";
import { withWrittenFiles } from "./attached-files.ts";
import { type ChatMessage, flattenContent } from "./chat-message.ts";
import { neutraliseMessage, type TokenFamily } from "./control-tokens.ts";
import { withSingleToolCalls } from "./single-tool-calls.ts";
import { type Spotlight, spotlightResult } from "../safety/spotlight.ts";

export interface MessagesInput {
  readonly request: { readonly messages: readonly ChatMessage[] };
  /** Earlier messages, oldest first. */
  readonly history: readonly ChatMessage[];
  readonly defaultSystemPrompt: string | null;
  readonly model: { readonly template?: string | undefined };
  readonly spotlight: Spotlight | null;
}

export interface PreparedMessages {
  readonly messages: readonly ChatMessage[];
  /** The index of the first message that the request itself brought, behind the instructions. */
  readonly ownFrom: number;
}

/**
 * Instructions first, then history, then what was sent; `developer` is what engines call `system`. Llama 3.1's template refuses a
 * message with several tool calls.
 */
export function prepareMessages(
  input: MessagesInput,
  family: TokenFamily,
): Result<PreparedMessages, OrphanedResult> {
  const { request, history, defaultSystemPrompt, spotlight } = input;
  const markedBy = spotlight?.marksWords === true ? spotlight.secret : null;
  const readable = (message: ChatMessage): ChatMessage =>
    forEngine(withWrittenFiles(message, family, markedBy), family);
  const instructions: ChatMessage[] = [];
  const turn: ChatMessage[] = [];
  for (const message of request.messages) {
    const safe = readable(message);
    // With a history, the request's leading instructions go before it.
    if (turn.length === 0 && safe.role === "system") instructions.push(safe);
    else turn.push(safe);
  }
  const has = (messages: readonly ChatMessage[]) => messages.some((message) => message.role === "system");
  const goesOn = history.length > 0 || turn[0]?.role === "tool";
  const own = request.messages.slice(instructions.length);
  const paired = goesOn ? pairCalls(history, own, instructions.length) : ok(history);
  if (!paired.ok) return paired;
  const earlier = paired.value.map(readable);
  if (defaultSystemPrompt !== null && instructions.length === 0 && !has(turn))
    instructions.push(forEngine({ role: "system", content: defaultSystemPrompt }, family));
  const all =
    earlier.length === 0 && instructions.length === 0
      ? turn
      : [...withSummary(instructions, earlier), ...turn];
  const forTemplate = input.model.template === "llama-3.1" ? withSingleToolCalls : unchanged;
  const prepared = forTemplate(all);
  const messages =
    spotlight === null ? prepared : prepared.map((message) => spotlightResult(message, spotlight));
  return ok({ messages, ownFrom: goesOn ? messages.length - forTemplate(turn).length : 0 });
}

/**
 * What a history begins with, if that is a summary, goes into the instructions in front of it: templates know one system message,
 * and several (Qwen 3.5's, Mistral's) refuse a second.
 */
export function withSummary(
  instructions: readonly ChatMessage[],
  earlier: readonly ChatMessage[],
): readonly ChatMessage[] {
  const last = instructions.at(-1);
  const [summary, ...rest] = earlier;
  if (last === undefined || summary?.role !== "system") return [...instructions, ...earlier];
  const content = `${flattenContent(last.content)}\n\n${flattenContent(summary.content)}`;
  return [...instructions.slice(0, -1), { ...last, content }, ...rest];
}

function unchanged(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return messages;
}

function forEngine(message: ChatMessage, family: TokenFamily): ChatMessage {
  const safe = neutraliseMessage(message, family);
  if (safe.role === "developer") return { ...safe, role: "system" };
  if (safe.tool_calls === null || safe.tool_calls?.length === 0) {
    // Templates ask whether the field is there, not whether anything is in it.
    const { tool_calls: _none, ...rest } = safe;
    return rest;
  }
  return safe;
}
