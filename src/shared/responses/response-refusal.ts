/** A turn's refusal in the words of the Responses API: the stages know the chat that a request means, and name chat's fields. */
import { withPromptField, type Refusal } from "../contracts/refusal.ts";

const fields: Readonly<Record<string, string>> = {
  messages: "input",
  max_completion_tokens: "max_output_tokens",
  reasoning_effort: "reasoning.effort",
  response_format: "text.format",
  logprobs: "include",
};

export function responseRefusal(refusal: Refusal): Refusal {
  switch (refusal.kind) {
    case "context-too-long":
      return withPromptField(refusal, "input");
    case "parameter-unsupported":
      return { ...refusal, param: fields[refusal.param] ?? refusal.param };
    default:
      return refusal;
  }
}
