/**
 * Which items may the input of a response hold, and in which form do they go on? OpenAI's forms come in, its short ones
 * too; what goes on is one form a kind (src/shared/responses/item.ts). Ids and what has no effect end here.
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileSearchCall, FunctionCall, FunctionCallOutput, Item, Reasoning } from "../responses/item.ts";
import { callArguments } from "./chat-messages.ts";
import { isJsonObject } from "./json-bounds.ts";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { mcpCall, webSearchCall } from "./responses-server-items.ts";
import { opaqueId, text, toolName, unsupported, withoutEffect } from "./schema-parts.ts";
import { invalidValue, paramOf, refusalOfIssues, unsupportedParameter } from "./zod-refusal.ts";

const status = z.lazy(() => z.enum(["in_progress", "completed", "incomplete"]).nullish());
/** Clients send items back as they got them. */
const sentBack = lazyShape({
  id: () => withoutEffect(opaqueId.nullish()),
  status: () => withoutEffect(status),
});
const cacheBreakpoint = z.lazy(() =>
  withoutEffect(z.strictObject({ mode: z.literal("explicit").optional() }).nullish()),
);

const inputText = z.lazy(() =>
  z.strictObject({
    type: z.literal("input_text"),
    text: text(),
    prompt_cache_breakpoint: cacheBreakpoint,
  }),
);

const inputImage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("input_image"),
      /** Checked by media.ts against the tenant's policy. */
      image_url: z.string().min(1),
      detail: z.enum(["auto", "low", "high", "original"]).nullish(),
      file_id: unsupported("is not supported: send the image as a data: URL in image_url"),
      prompt_cache_breakpoint: cacheBreakpoint,
    })
    .transform(({ type, image_url, detail }) => ({
      type,
      image_url,
      // Engines know three; the largest of them keeps the image as it is.
      detail: detail === "original" ? ("high" as const) : (detail ?? ("auto" as const)),
    })),
);

const outputText = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("output_text"),
      text: text(),
      annotations: withoutEffect(z.array(z.unknown()).nullish()),
      logprobs: withoutEffect(z.array(z.unknown()).nullish()),
      parsed: withoutEffect(z.unknown()),
    })
    .transform((part) => ({ type: part.type, text: part.text, annotations: [], logprobs: [] })),
);

const outputRefusal = z.lazy(() => z.strictObject({ type: z.literal("refusal"), refusal: text() }));

function parts<Part extends z.ZodType>(part: Part) {
  return z.array(part).min(1).max(requestLimits.partsPerMessage);
}

const phase = z.lazy(() => withoutEffect(z.enum(["commentary", "final_answer"]).nullish()));

const inputMessage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("message").optional(),
      role: z.enum(["user", "system", "developer"]),
      content: z.union([text(), parts(z.discriminatedUnion("type", [inputText, inputImage]))]),
      phase,
      ...sentBack,
    })
    .superRefine(({ role, content }, context) => {
      if (role === "user" || typeof content === "string") return;
      const at = content.findIndex((part) => part.type === "input_image");
      if (at !== -1)
        context.addIssue({
          code: "custom",
          path: ["content", at, "type"],
          message: "may be 'input_image' in messages of the user alone",
        });
    })
    .transform(({ role, content }) => ({
      type: "message" as const,
      role,
      status: "completed" as const,
      content: typeof content === "string" ? [{ type: "input_text" as const, text: content }] : content,
    })),
);

const outputMessage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("message").optional(),
      role: z.literal("assistant"),
      // Some clients send an answer back in input's form.
      content: z.union([text(), parts(z.discriminatedUnion("type", [outputText, outputRefusal, inputText]))]),
      phase,
      ...sentBack,
    })
    .transform(({ role, content }) => ({
      type: "message" as const,
      role,
      status: "completed" as const,
      content: typeof content === "string" ? [spokenText(content)] : content.map(spokenPart),
    })),
);

const functionCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("function_call"),
      call_id: opaqueId,
      name: toolName,
      arguments: callArguments,
      namespace: unsupported("is not supported"),
      caller: withoutEffect(z.unknown()),
      parsed_arguments: withoutEffect(z.unknown()),
      ...sentBack,
    })
    .transform(({ type, call_id, name, arguments: given }): FunctionCall => ({
      type,
      call_id,
      name,
      arguments: given,
      status: "completed",
    })),
);

const functionCallOutput = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("function_call_output"),
      call_id: opaqueId,
      output: z.union([text(), parts(z.discriminatedUnion("type", [inputText]))]),
      name: withoutEffect(z.string().max(requestLimits.idCharacters).nullish()),
      namespace: unsupported("is not supported"),
      caller: withoutEffect(z.unknown()),
      ...sentBack,
    })
    .transform(({ type, call_id, output }): FunctionCallOutput => ({
      type,
      call_id,
      output,
      status: "completed",
    })),
);

const reasoning = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("reasoning"),
      summary: withoutEffect(z.array(z.unknown()).nullish()),
      content: z
        .array(z.strictObject({ type: z.literal("reasoning_text"), text: text() }))
        .max(requestLimits.partsPerMessage)
        .nullish(),
      encrypted_content: withoutEffect(z.string().nullish()),
      ...sentBack,
    })
    .transform(({ type, content }): Reasoning => ({ type, summary: [], content: content ?? [] })),
);

/** Clients send it back with the answer; what it found was of its own turn. */
const fileSearchCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("file_search_call"),
      queries: z.array(text(requestLimits.descriptionCharacters)).max(64).nullish(),
      results: withoutEffect(z.array(z.looseObject({})).nullish()),
      id: withoutEffect(opaqueId.nullish()),
      status: withoutEffect(
        z.enum(["in_progress", "searching", "completed", "incomplete", "failed"]).nullish(),
      ),
    })
    .transform(({ type, queries }): FileSearchCall => ({
      type,
      status: "completed",
      queries: queries ?? [],
      results: null,
    })),
);

/** For the documentation. */
export const itemSchema = z.lazy(() =>
  z.union([
    inputMessage,
    outputMessage,
    functionCall,
    functionCallOutput,
    reasoning,
    mcpCall,
    webSearchCall,
    fileSearchCall,
  ]),
);

const kinds: ReadonlyMap<unknown, z.ZodType<Item>> = new Map<unknown, z.ZodType<Item>>([
  ["function_call", functionCall],
  ["function_call_output", functionCallOutput],
  ["reasoning", reasoning],
  ["mcp_call", mcpCall],
  ["web_search_call", webSearchCall],
  ["file_search_call", fileSearchCall],
]);

/** OpenAI's other kinds of items, each of which belongs to something that is not offered here. */
const refusedKinds: ReadonlySet<unknown> = new Set([
  "item_reference",
  "computer_call",
  "computer_call_output",
  "image_generation_call",
  "code_interpreter_call",
  "local_shell_call",
  "local_shell_call_output",
  "shell_call",
  "shell_call_output",
  "apply_patch_call",
  "apply_patch_call_output",
  "mcp_list_tools",
  "mcp_approval_request",
  "mcp_approval_response",
  "custom_tool_call",
  "custom_tool_call_output",
  "tool_search_call",
  "tool_search_output",
  "additional_tools",
  "compaction",
  "compaction_summary",
  "compaction_trigger",
  "program",
  "program_output",
]);

const wholeText = z.lazy(() => text());

/** Text, or a list of items. Refusals name the place: `input[2].content[0].text`. */
export function readInput(given: unknown): Result<readonly Item[], Refusal> {
  if (typeof given === "string") {
    const parsed = wholeText.safeParse(given);
    if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, ["input"], given));
    return ok([userText(given)]);
  }
  if (!Array.isArray(given)) return err(invalidValue("input", "must be a string or an array"));
  if (given.length === 0) return err(invalidValue("input", "must have at least 1 item"));
  if (given.length > requestLimits.messages)
    return err(invalidValue("input", `must have at most ${requestLimits.messages} items`));
  const items: Item[] = [];
  for (const [at, value] of (given as readonly unknown[]).entries()) {
    const item = readItem(value, at);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(items);
}

function readItem(value: unknown, at: number): Result<Item, Refusal> {
  const path = ["input", at];
  if (!isJsonObject(value)) return err(invalidValue(paramOf(path), "must be an object"));
  const { type, role } = value;
  const schema = kinds.get(type) ?? (role === "assistant" ? outputMessage : inputMessage);
  if (!kinds.has(type) && type !== undefined && type !== "message") {
    const param = paramOf([...path, "type"]);
    return err(
      typeof type === "string" && refusedKinds.has(type)
        ? unsupportedParameter(param, `can't be '${type}': what it belongs to is not offered here`)
        : invalidValue(
            param,
            "must be one of 'message', 'function_call', 'function_call_output', 'reasoning', 'mcp_call', 'web_search_call', 'file_search_call'",
          ),
    );
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, path, value));
}

export function userText(value: string): Item {
  return {
    type: "message",
    role: "user",
    status: "completed",
    content: [{ type: "input_text", text: value }],
  };
}

function spokenText(value: string) {
  return { type: "output_text" as const, text: value, annotations: [], logprobs: [] };
}

function spokenPart(part: z.output<typeof outputText | typeof outputRefusal | typeof inputText>) {
  return part.type === "input_text" ? spokenText(part.text) : part;
}
