/** An answer that does not stream: OpenAI's `chat.completion` and `text_completion` objects, from gathered choices. */
import type { Usage } from "../contracts/usage.ts";
import { toWireUsage, type Price } from "./wire-usage.ts";

/** A choice of a complete answer, wherever it was gathered: from a stream, an engine's JSON, the cache. */
export interface AnswerChoice {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly refusal?: string | null;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly logprobs?: object | null;
  readonly finishReason: string | null;
}

export interface WholeAnswer {
  readonly id: string;
  readonly model: string;
  readonly createdSeconds: number;
  readonly choices: readonly AnswerChoice[];
  readonly usage: Usage;
  readonly price: Price | undefined;
}

export type AnswerShape = "chat" | "completion";

/** JSON of the object that the client gets. */
export function writeWholeAnswer(answer: WholeAnswer, shape: AnswerShape): string {
  return JSON.stringify({
    id: answer.id,
    object: shape === "chat" ? "chat.completion" : "text_completion",
    created: answer.createdSeconds,
    model: answer.model,
    choices: answer.choices.map((choice, index) =>
      shape === "chat" ? toChatChoice(choice, index) : toCompletionChoice(choice, index),
    ),
    usage: toWireUsage(answer.usage, answer.price),
  });
}

function toChatChoice(choice: AnswerChoice, index: number): object {
  const { content, reasoning, refusal, toolCalls, logprobs, finishReason } = choice;
  const calls = toolCalls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
  }));
  return {
    index,
    message: {
      role: "assistant",
      content: content === null && calls.length === 0 && typeof refusal !== "string" ? "" : content,
      refusal: refusal ?? null,
      ...(reasoning === null ? {} : { reasoning, reasoning_content: reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    logprobs: logprobs ?? null,
    finish_reason: finishReason ?? "stop",
  };
}

function toCompletionChoice(choice: AnswerChoice, index: number): object {
  const reason = choice.finishReason;
  return {
    index,
    text: choice.content ?? "",
    logprobs: choice.logprobs ?? null,
    finish_reason: reason === "length" || reason === "content_filter" ? reason : "stop",
  };
}
