/**
 * Which items may the input of a response contain, and in which form are they used? It accepts OpenAI's forms, also the short
 * ones, and converts each kind to a single form (src/shared/responses/item.ts). Ids and fields without effect are dropped.
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { FileSearchCall, FunctionCall, FunctionCallOutput, Item, Reasoning } from "../responses/item.ts";
import { isReference, type ItemReference, type SentItem } from "../responses/item-reference.ts";
import { callArguments } from "./chat-messages.ts";
import { isRecord } from "./is-record.ts";
import { requestLimits } from "./request-limits.ts";
import {
  inputImage,
  inputMessage,
  inputText,
  outputMessage,
  parts,
  sentBack,
  userText,
} from "./responses-messages.ts";
import { mcpCall, webSearchCall } from "./responses-server-items.ts";
import { lackingParts } from "./lacking-parts.ts";
import { flatToolName, opaqueId, text, toolName, withoutEffect } from "./schema-parts.ts";
import { invalidValue, paramOf, refusalOfIssues, unsupportedParameter } from "./zod-refusal.ts";

const functionCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("function_call"),
      call_id: opaqueId,
      // What a conversation shows of a call in a namespace has both names in one.
      name: flatToolName,
      arguments: callArguments,
      namespace: toolName.nullish(),
      caller: withoutEffect(z.unknown()),
      parsed_arguments: withoutEffect(z.unknown()),
      ...sentBack,
    })
    .transform(({ type, call_id, name, namespace, arguments: given }): FunctionCall => ({
      type,
      call_id,
      name,
      ...(namespace == null ? {} : { namespace }),
      arguments: given,
      status: "completed",
    })),
);

const functionCallOutput = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("function_call_output"),
      call_id: opaqueId,
      output: z.union([text(), parts(z.discriminatedUnion("type", [inputText, inputImage]))]),
      name: withoutEffect(z.string().max(requestLimits.idCharacters).nullish()),
      namespace: withoutEffect(z.string().max(requestLimits.idCharacters).nullish()),
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

/** Clients send it back with the answer; its results belonged to its own turn. */
const fileSearchCall = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("file_search_call"),
      queries: z.array(text(requestLimits.descriptionCharacters)).max(64).nullish(),
      results: withoutEffect(z.array(z.looseObject({})).nullish()),
      lacking: withoutEffect(lackingParts.nullish()),
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

/** OpenAI also accepts it without `type`. */
const itemReference = z.lazy(() =>
  z
    .strictObject({ type: z.literal("item_reference").nullish(), id: opaqueId })
    .transform(({ id }): ItemReference => ({ type: "item_reference", id })),
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

/** The same for what may be sent to a response. */
export const sentItemSchema = z.lazy(() => z.union([itemSchema, itemReference]));

const kinds: ReadonlyMap<unknown, z.ZodType<Item>> = new Map<unknown, z.ZodType<Item>>([
  ["function_call", functionCall],
  ["function_call_output", functionCallOutput],
  ["reasoning", reasoning],
  ["mcp_call", mcpCall],
  ["web_search_call", webSearchCall],
  ["file_search_call", fileSearchCall],
]);

/** OpenAI's other kinds of items. Each belongs to a feature that is not offered here. */
const refusedKinds: ReadonlySet<unknown> = new Set([
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

/** Reads text or a list of items, without references to items. Refusals name the place: `input[2].content[0].text`. */
export function readInput(given: unknown): Result<readonly Item[], Refusal> {
  const sent = readSentInput(given);
  if (!sent.ok) return sent;
  const at = sent.value.findIndex(isReference);
  return at === -1 ? ok(sent.value as readonly Item[]) : err(notOffered(at, "item_reference"));
}

/** The same for a response, whose input may refer to items of earlier ones. */
export function readSentInput(given: unknown): Result<readonly SentItem[], Refusal> {
  if (typeof given === "string") {
    const parsed = wholeText.safeParse(given);
    if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, ["input"], given));
    return ok([userText(given)]);
  }
  if (!Array.isArray(given)) return err(invalidValue("input", "must be a string or an array"));
  if (given.length === 0) return err(invalidValue("input", "must have at least 1 item"));
  if (given.length > requestLimits.messages)
    return err(invalidValue("input", `must have at most ${requestLimits.messages} items`));
  const items: SentItem[] = [];
  for (const [at, value] of (given as readonly unknown[]).entries()) {
    const item = isNamed(value) ? readReference(value, at) : readItem(value, at);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(items);
}

function isNamed(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { type, id, role } = value;
  return type === "item_reference" || (type == null && id !== undefined && role === undefined);
}

function readReference(value: unknown, at: number): Result<ItemReference, Refusal> {
  const parsed = itemReference.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, ["input", at], value));
}

/** @param at its index in the input, for the refusal */
export function readItem(value: unknown, at: number): Result<Item, Refusal> {
  const path = ["input", at];
  if (!isRecord(value)) return err(invalidValue(paramOf(path), "must be an object"));
  const { type, role } = value;
  const schema = kinds.get(type) ?? (role === "assistant" ? outputMessage : inputMessage);
  if (!kinds.has(type) && type !== undefined && type !== null && type !== "message") {
    return err(
      typeof type === "string" && refusedKinds.has(type)
        ? notOffered(at, type)
        : invalidValue(
            paramOf([...path, "type"]),
            "must be one of 'message', 'function_call', 'function_call_output', 'reasoning', 'mcp_call', 'web_search_call', 'file_search_call'",
          ),
    );
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, path, value));
}

function notOffered(at: number, type: string): Refusal {
  return unsupportedParameter(
    paramOf(["input", at, "type"]),
    `can't be '${type}': what it belongs to is not offered here`,
  );
}
