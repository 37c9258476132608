/** The request to the model in a later round of an answer, and how many tokens it may still generate. Pure. */
import type { ChatMessage } from "../../wire/chat-messages.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";

/**
 * The same request with the earlier rounds' messages and results appended. A forced call was made in the first round: from then on the choice
 * is the model's, as with OpenAI.
 *
 * @param tools what may be called now
 * @param used tokens that earlier rounds generated: the client's bound holds for the whole answer
 */
export function roundRequest(
  { tool_choice: _met, tools: _before, parallel_tool_calls: parallel, ...chat }: ChatRequest,
  since: readonly ChatMessage[],
  tools: ChatRequest["tools"],
  used: number,
): ChatRequest {
  const { max_completion_tokens: most, max_tokens: older } = chat;
  return {
    ...chat,
    messages: [...chat.messages, ...since],
    ...(most === undefined ? {} : { max_completion_tokens: Math.max(1, most - used) }),
    ...(older === undefined ? {} : { max_tokens: Math.max(1, older - used) }),
    // OpenAI's API takes `parallel_tool_calls` only together with `tools`.
    ...(tools === undefined
      ? {}
      : { tools, ...(parallel === undefined ? {} : { parallel_tool_calls: parallel }) }),
  };
}

/** The client's bound on the tokens of all rounds together; `null`: it set none. */
export function tokenBound({
  max_completion_tokens: most,
  max_tokens: older,
}: Pick<ChatRequest, "max_completion_tokens" | "max_tokens">): number | null {
  return most ?? older ?? null;
}
