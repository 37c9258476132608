/** What does a request for a response mean in chat's words, which the stages of a turn and engines know? */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatRequest, SentChatRequest } from "../wire/chat-request.ts";
import { checkMedia, type MediaPolicy } from "../wire/media.ts";
import { normaliseChat } from "../wire/normalise-chat.ts";
import type { ResponseRequest } from "../wire/responses-request.ts";
import { chatTools } from "./response-tools.ts";
import type { Item } from "./item.ts";
import { messagesOf } from "./messages.ts";

/** The turn's own messages alone: what came before is recalled where the turn runs. */
export function chatOf(request: ResponseRequest): ChatRequest {
  const { text, include, reasoning } = request;
  const { tools, choice, retrieval } = chatTools(request);
  const format = text?.format ?? undefined;
  const effort = reasoning?.effort ?? undefined;
  const logprobs = include?.includes("message.output_text.logprobs") === true;
  const sent: SentChatRequest = {
    model: request.model,
    messages: [
      ...(request.instructions === undefined
        ? []
        : [{ role: "system" as const, content: request.instructions }]),
      ...messagesOf(request.input),
    ],
    stream: true,
    ...defined({
      max_completion_tokens: request.max_output_tokens,
      temperature: request.temperature,
      top_p: request.top_p,
      frequency_penalty: request.frequency_penalty,
      presence_penalty: request.presence_penalty,
      seed: request.seed,
      stop: request.stop,
      top_k: request.top_k,
      min_p: request.min_p,
      repetition_penalty: request.repetition_penalty,
      parallel_tool_calls: request.parallel_tool_calls,
      reasoning_effort: effort,
    }),
    ...(logprobs ? { logprobs: true, top_logprobs: request.top_logprobs ?? 0 } : {}),
    ...(format === undefined
      ? {}
      : {
          response_format:
            format.type === "json_schema"
              ? {
                  type: format.type,
                  json_schema: {
                    name: format.name,
                    schema: format.schema,
                    ...defined({ description: format.description, strict: format.strict }),
                  },
                }
              : format,
        }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, description, parameters, strict }) => ({
            type: "function" as const,
            function: { name, ...defined({ description, parameters, strict }) },
          })),
        }),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(retrieval === null ? {} : { retrieval }),
  };
  return normaliseChat(sent);
}

/**
 * As `checkMedia`, with the places as the client knows them.
 *
 * @param field what holds the items
 */
export function checkItemMedia(
  items: readonly Item[],
  field: "input" | "items",
  policy: MediaPolicy,
): Result<void, Refusal> {
  for (const [at, item] of items.entries()) {
    const isResult = item.type === "function_call_output";
    if (!isResult && (item.type !== "message" || item.role !== "user")) continue;
    const checked = checkMedia({ messages: messagesOf([item]) }, policy);
    if (checked.ok) continue;
    const { error } = checked;
    if (error.kind !== "value-invalid") return checked;
    const place = (said: string): string =>
      said
        .replace("messages[0].content", `${field}[${at}].${isResult ? "output" : "content"}`)
        .replace("image_url.url", "image_url");
    return err({ ...error, param: place(error.param ?? ""), message: place(error.message) });
  }
  return ok(undefined);
}

type Defined<Fields> = { [Name in keyof Fields]?: NonNullable<Fields[Name]> };

function defined<Fields extends Record<string, unknown>>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Defined<Fields>;
}
