import * as z from "zod";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { ServedModel } from "../catalog.ts";
import { badRequest, invalid, type EngineRefusal } from "../engine/refusal.ts";
import { renderChat, type TemplateCall } from "../engine/template.ts";
import type { Conversation, Tool, ToolChoice, Turn } from "../model/conversation.ts";
import { readFormat } from "./output-format.ts";
import { maxLogprobs, samplingFields } from "./sampling.ts";

/** Which chats does the engine accept? Checks the messages and tools of `/v1/chat/completions`. */
const part = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(z.union([z.string(), part]))]).nullish();
const call = z.looseObject({
  id: z.string().nullish(),
  type: z.string().nullish(),
  function: z.looseObject({ name: z.string(), arguments: z.string().nullish() }),
});
const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content,
  tool_calls: z.array(call).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
});
const tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

export const chatSchema = z.looseObject({
  ...samplingFields,
  messages: z.array(message).min(1),
  max_completion_tokens: z.int().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: z
    .union([z.string(), z.looseObject({ function: z.looseObject({ name: z.string() }).nullish() })])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
  echo: z.boolean().nullish(),
  include_reasoning: z.boolean().nullish(),
  reasoning_effort: z.string().nullish(),
  chat_template: z.string().nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
});
export type ChatRequest = z.infer<typeof chatSchema>;

export interface Chat {
  readonly prompt: string;
  readonly conversation: Conversation;
  /** The text that the model continues, as the template left it; undefined if it begins an answer. */
  readonly prefix: string | undefined;
  readonly media: readonly string[];
}

export function readChat(request: ChatRequest, model: ServedModel): Result<Chat, EngineRefusal> {
  if (!model.capabilities.has("chat") && !model.capabilities.has("moderation"))
    return badRequest("The model does not support Chat Completions API");
  const continued = request.continue_final_message === true;
  // add_generation_prompt defaults to true, and transformers refuses both together.
  if (continued && request.add_generation_prompt !== false)
    return invalid("Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
  const logprobs = readLogprobs(request);
  if (!logprobs.ok) return logprobs;
  const choice = readToolChoice(request, model);
  if (!choice.ok) return choice;
  const format = readFormat(request, model);
  if (!format.ok) return format;

  const turns: Turn[] = [];
  const rendered: { role: string; content: string; toolCalls: TemplateCall[] }[] = [];
  for (const [index, one] of request.messages.entries()) {
    const parts = readContent(one.content, model, index);
    if (!parts.ok) return parts;
    const calls: TemplateCall[] = [];
    for (const { function: called } of one.tool_calls ?? []) {
      const parsed = parseArguments(called.arguments);
      if (!parsed.ok) return parsed;
      calls.push({ name: called.name, arguments: parsed.value });
    }
    turns.push({
      role: one.role === "developer" ? "system" : one.role === "function" ? "tool" : one.role,
      text: parts.value.text,
      calls,
      media: parts.value.media,
    });
    rendered.push({ role: one.role, content: parts.value.rendered, toolCalls: calls });
  }
  const tools = choice.value.kind === "none" ? [] : (request.tools ?? []);
  const prompt = renderChat(model, {
    messages: rendered,
    tools: tools.length > 0 ? tools : undefined,
    addGenerationPrompt: request.add_generation_prompt ?? true,
    continueFinalMessage: continued,
  });
  if (!prompt.ok) return badRequest(prompt.error);
  const last = rendered.at(-1)?.content ?? "";
  const thinking =
    request.chat_template_kwargs?.["enable_thinking"] !== false && request.reasoning_effort !== "none";
  return ok({
    prompt: prompt.value,
    conversation: {
      model: model.name,
      turns: continued ? turns.slice(0, -1) : turns,
      tools: tools.map((offered): Tool => ({
        name: offered.function.name,
        description: offered.function.description ?? "",
        parameters: offered.function.parameters ?? undefined,
      })),
      toolChoice: choice.value,
      format: format.value,
      reasoning: model.capabilities.has("reasoning") && thinking && !continued,
      parallelCalls: model.family !== "llama" && request.parallel_tool_calls !== false,
    },
    prefix: continued ? (prompt.value.endsWith(last) ? last : last.trim()) : undefined,
    media: turns.flatMap((turn) => turn.media),
  });
}

function readLogprobs(request: ChatRequest): Result<void, EngineRefusal> {
  const top = request.top_logprobs;
  if (typeof top !== "number") return ok(undefined);
  if (top < 0 && top !== -1) return invalid("`top_logprobs` must be a positive value or -1.", "top_logprobs");
  if (top !== 0 && request.logprobs !== true)
    return invalid("when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs");
  if (top > maxLogprobs)
    return badRequest(
      `Requested sample logprobs of ${top}, which is greater than max allowed: ${maxLogprobs}`,
      "logprobs",
    );
  return ok(undefined);
}

function readToolChoice(request: ChatRequest, model: ServedModel): Result<ToolChoice, EngineRefusal> {
  const { tools, tool_choice: choice } = request;
  if (tools?.length === 0)
    return invalid(
      "`tools` must not be an empty array. Either provide at least one tool or omit the field entirely.",
      "tools",
    );
  if (choice === "none") return ok({ kind: "none" });
  if (choice !== undefined && choice !== null && !tools)
    return invalid("When using `tool_choice`, `tools` must be set.", "tool_choice");
  if (!tools) return ok({ kind: "none" });
  if (choice === undefined || choice === null || choice === "auto") {
    if (model.capabilities.has("tools")) return ok({ kind: "auto" });
    return badRequest(
      '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    );
  }
  if (!model.capabilities.has("tools"))
    return badRequest(`tool_choice=${JSON.stringify(choice)} requires --tool-call-parser to be set`);
  if (choice === "required") return ok({ kind: "required" });
  if (typeof choice === "string")
    return invalid(
      `Invalid value for \`tool_choice\`: ${choice}! Only named tools, "none", "auto" or "required" are supported.`,
      "tool_choice",
    );
  const name = choice.function?.name;
  if (name === undefined)
    return invalid(
      'Invalid value for `function`: `None` in `tool_choice`! Correct usage: `{"type": "function", "function": {"name": "my_function"}}`',
      "tool_choice.function",
    );
  if (!tools.some((offered) => offered.function.name === name))
    return invalid(
      "The tool specified in `tool_choice` does not match any of the specified `tools`",
      "tool_choice",
    );
  return ok({ kind: "named", name });
}

interface Content {
  readonly text: string;
  readonly rendered: string;
  readonly media: readonly string[];
}

function readContent(
  value: z.infer<typeof content>,
  model: ServedModel,
  index: number,
): Result<Content, EngineRefusal> {
  if (typeof value === "string") return ok({ text: value, rendered: value, media: [] });
  const texts: string[] = [];
  const rendered: string[] = [];
  const media: string[] = [];
  for (const one of value ?? []) {
    if (typeof one === "string" || one.type === "text" || one.type === "refusal") {
      const text = typeof one === "string" ? one : (one["text"] ?? one["refusal"]);
      if (typeof text !== "string")
        return invalid(
          `'loc': ('body', 'messages', ${index}, 'content'), 'msg': 'Input should be a valid string'`,
        );
      texts.push(text);
      rendered.push(text);
      continue;
    }
    const found = readMedia(one, model);
    if (!found.ok) return found;
    media.push(found.value);
    rendered.push(mediaPlaceholder(one.type));
  }
  return ok({ text: texts.join("\n"), rendered: rendered.join("\n"), media });
}

function readMedia(one: z.infer<typeof part>, model: ServedModel): Result<string, EngineRefusal> {
  const kind = one.type;
  if (kind !== "image_url" && kind !== "input_audio" && kind !== "audio_url" && kind !== "video_url")
    return badRequest(`Unknown part type: ${kind}`);
  const wanted = kind === "image_url" || kind === "video_url" ? "vision" : "audio";
  if (!model.capabilities.has(wanted)) return badRequest(`${model.name} is not a multimodal model`);
  const value: unknown = one[kind];
  if (kind === "input_audio") return ok("data:audio");
  const url = typeof value === "string" ? value : isUrlObject(value) ? value.url : undefined;
  if (url === undefined) return invalid(`'${kind}' must have a 'url'`, "messages");
  if (url.startsWith("data:") && !/^data:[\w.+-]+\/[\w.+-]+;base64,[A-Za-z0-9+/]+={0,2}$/.test(url))
    return badRequest("Only base64 data URLs are supported for now.");
  if (!/^(?:data:|https?:\/\/)/.test(url))
    return badRequest("The URL must be either a HTTP, data or file URL.");
  return ok(url);
}

function isUrlObject(value: unknown): value is { url: string } {
  return typeof value === "object" && value !== null && "url" in value && typeof value.url === "string";
}

/** An image counts as many tokens as it has patches; 64 are assumed. */
function mediaPlaceholder(kind: string): string {
  return kind === "image_url"
    ? `<|vision_start|>${"<|image_pad|>".repeat(64)}<|vision_end|>`
    : "<|image_pad|>";
}

function parseArguments(text: string | null | undefined): Result<unknown, EngineRefusal> {
  if (text === undefined || text === null || text === "") return ok({});
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    // JSON can only be checked by parsing it; vLLM answers with its parser's message.
    return badRequest(`Expecting value: ${error instanceof Error ? error.message : "not JSON"}`);
  }
}
