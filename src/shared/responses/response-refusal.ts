/** A turn's refusal in the words of the Responses API: the stages know the chat that a request means, and name chat's fields. */
import { withObjectField, withPromptField, type ObjectField, type Refusal } from "../contracts/refusal.ts";
import type { SentResponseRequest } from "../wire/responses-request.ts";

const fields: Readonly<Record<string, string>> = {
  messages: "input",
  max_completion_tokens: "max_output_tokens",
  max_tokens: "max_output_tokens",
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
    case "value-invalid":
      // Items are no messages: which of them it was, the index of a message does not tell.
      return refusal.param !== null && /^messages(?:\[|$)/.test(refusal.param)
        ? { ...refusal, param: "input" }
        : refusal;
    case "origin-rejected":
      return refusal.param === undefined
        ? refusal
        : { ...refusal, param: fields[refusal.param] ?? refusal.param };
    default:
      return refusal;
  }
}

/** The same of what is refused while it is asked for: what the request goes on from may not be there. */
export function askedResponseRefusal(refusal: Refusal, request: SentResponseRequest): Refusal {
  return withObjectField(storeRefusal(responseRefusal(refusal), request), goesOnFrom(request));
}

/** A store is named in a tool. */
function storeRefusal(refusal: Refusal, { tools }: SentResponseRequest): Refusal {
  if (refusal.kind !== "object-unknown") return refusal;
  const [, place] = /^retrieval\.vector_store_ids\[(\d+)\]$/.exec(refusal.namedBy ?? "") ?? [];
  const tool = tools?.findIndex(({ type }) => type === "file_search") ?? -1;
  return place === undefined
    ? refusal
    : { ...refusal, namedBy: `tools[${tool}].vector_store_ids[${Number(place)}]` };
}

function goesOnFrom({ previous_response_id, conversation }: SentResponseRequest): ObjectField | undefined {
  if (previous_response_id != null) return "previous_response_id";
  return conversation == null ? undefined : "conversation";
}
