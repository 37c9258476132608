/** The error for a prompt over the window: by how much, and which of its route's fields to shorten. */
import type { PromptField, Refusal } from "../contracts/refusal.ts";
import { wire, type WireError } from "./wire-error.ts";

type ContextRefusal = Extract<Refusal, { kind: "context-too-long" }>;

/** The field for the answer's length, on the route whose prompt has this name. */
const answerField: Readonly<Record<PromptField, string>> = {
  messages: "max_completion_tokens",
  input: "max_output_tokens",
  prompt: "max_tokens",
};

export function contextError(refusal: ContextRefusal): WireError {
  const { promptField = "messages", windowTokens, promptTokens, answerTokens } = refusal;
  // Embeddings have no answer to shorten.
  const way = answerTokens === 0 ? "" : ` or lower '${answerField[promptField]}'`;
  return wire(
    400,
    "invalid_request_error",
    "context_length_exceeded",
    promptField,
    `This model's maximum context length is ${windowTokens} tokens. However, you asked for ` +
      `${promptTokens + answerTokens} tokens (${promptTokens} in the prompt, ` +
      `${answerTokens} for the answer). Shorten '${promptField}'${way}.`,
  );
}
