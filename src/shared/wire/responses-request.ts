/** Is this body a request for a response (`POST /v1/responses`), and which? Strict, as for chat (chat-request.ts). */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Item } from "../responses/item.ts";
import { isReference, type SentItem } from "../responses/item-reference.ts";
import { type FieldTable, readFields } from "./field-reader.ts";
import { isRecord } from "./is-record.ts";
import { makersOf } from "./lazy-shape.ts";
import { parseJson } from "./parse-json.ts";
import { requestLimits } from "./request-limits.ts";
import {
  maxEchoedUnits,
  refusedResponseFields,
  type ResponseField,
  responseShape,
} from "./responses-fields.ts";
import { itemSequenceFault } from "./responses-item-order.ts";
import { readSentInput } from "./responses-items.ts";
import { functionsOf, isWebSearchName, type ResponseTool } from "./responses-tools.ts";
import { nullish } from "./schema-parts.ts";
import { invalidValue, unsupportedParameter } from "./zod-refusal.ts";

type Optional = Exclude<ResponseField, "model" | "input">;

/** A checked request. Fields that were null are absent; the input is a list of items, in one form for each kind. */
export type ResponseRequest = {
  readonly model: string;
  readonly input: readonly Item[];
} & { readonly [Field in Optional]?: z.output<(typeof responseShape)[Field]> };

/** The same while it may still refer to items of earlier responses. */
export type SentResponseRequest = Omit<ResponseRequest, "input"> & { readonly input: readonly SentItem[] };

/** The same as one schema, for the documentation. */
export const responseRequestSchema = z.lazy(() => {
  const { model, input, ...optional } = responseShape;
  return z.strictObject({ model, input, ...nullish(optional) });
});

const table: FieldTable = {
  schemas: makersOf(responseShape),
  refused: new Map(Object.entries(refusedResponseFields)),
  required: ["model", "input"],
  readers: new Map([["input", readSentInput]]),
};

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseResponseRequest(body: string): Result<SentResponseRequest, Refusal> {
  const json = parseJson(body);
  return json.ok ? readResponseRequest(json.value) : json;
}

/** Like `parseResponseRequest`, for a body that is already parsed JSON. */
export function readResponseRequest(value: unknown): Result<SentResponseRequest, Refusal> {
  const kind = kindFault(value);
  if (kind !== null) return err(kind);
  const read = readFields(value, table);
  if (!read.ok) return read;
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  const request = read.value as unknown as SentResponseRequest;
  const fault = crossFieldFault(request);
  return fault === null ? ok(request) : err(fault);
}

/** The conversation's id, from either form of the field. */
export function conversationOf({ conversation }: Pick<ResponseRequest, "conversation">): string | undefined {
  return typeof conversation === "object" ? conversation.id : conversation;
}

const refusedTools: ReadonlySet<unknown> = new Set([
  "computer",
  "computer_use",
  "computer_use_preview",
  "mcp",
  "code_interpreter",
  "image_generation",
  "local_shell",
  "shell",
  "custom",
  "apply_patch",
  "tool_search",
  "programmatic_tool_calling",
]);

/** Does the body offer or choose a tool that OpenAI has but that is not offered here? Checked before its fields, since such tools have no schema. */
export function kindFault(body: unknown): Refusal | null {
  return isRecord(body) ? (toolKindFault(body["tools"]) ?? choiceKindFault(body["tool_choice"])) : null;
}

/** Distinguishes OpenAI's other kinds of tools from unknown ones. */
function toolKindFault(tools: unknown, field = "tools"): Refusal | null {
  if (!Array.isArray(tools)) return null;
  for (const [at, tool] of (tools as readonly unknown[]).entries()) {
    if (!isRecord(tool)) continue;
    const { type: kind } = tool;
    if (refusedTools.has(kind))
      return unsupportedParameter(
        `${field}[${at}].type`,
        `can't be '${String(kind)}', which is not offered here: use function tools`,
      );
    const inside =
      kind === "namespace" && field === "tools" ? toolKindFault(tool["tools"], `tools[${at}].tools`) : null;
    if (inside !== null) return inside;
  }
  return null;
}

/** The same for `tool_choice`. Only the model decides on a web search: it can be offered, but not required. */
function choiceKindFault(choice: unknown): Refusal | null {
  if (!isRecord(choice)) return null;
  const { type, tools } = choice;
  const named = type === "allowed_tools" && Array.isArray(tools) ? (tools as readonly unknown[]) : [];
  const kinds = named.map((tool) => (isRecord(tool) ? tool["type"] : undefined));
  const at = kinds.findIndex(isUnchoosable);
  if (at !== -1) return unchoosable(`tool_choice.tools[${at}].type`, kinds[at]);
  return isUnchoosable(type) ? unchoosable("tool_choice.type", type) : null;
}

function isUnchoosable(kind: unknown): boolean {
  return refusedTools.has(kind) || kind === "namespace" || isWebSearchName(kind);
}

function unchoosable(param: string, kind: unknown): Refusal {
  return unsupportedParameter(param, `can't be '${String(kind)}': choose among functions, or 'file_search'`);
}

/** Whether the input contains its items themselves, without references. */
export function isWhole(request: SentResponseRequest): request is ResponseRequest {
  return !request.input.some(isReference);
}

/** Do the fields of a request fit together? Items that it only refers to are checked by `inputFault`, once they are loaded. */
export function crossFieldFault(request: SentResponseRequest): Refusal | null {
  if (conversationOf(request) !== undefined && request.previous_response_id !== undefined)
    return invalidValue("previous_response_id", "can't stand beside 'conversation': send one of them");
  if (request.background === true && request.store === false)
    return invalidValue("background", "needs 'store': the response would be gone before it is asked for");
  if (request.stream_options !== undefined && request.stream !== true)
    return invalidValue("stream_options", "is only allowed when 'stream' is true");
  return (
    functionsFault(request) ??
    toolChoiceFault(request) ??
    (isWhole(request) ? inputFault(request) : null) ??
    echoFault(request)
  );
}

/** Do the items fit together? */
export function inputFault(request: ResponseRequest): Refusal | null {
  const isFollowed = conversationOf(request) !== undefined || request.previous_response_id !== undefined;
  return (
    itemSequenceFault(request.input, isFollowed) ??
    imageCountFault(request.input) ??
    fileCountFault(request.input)
  );
}

type Tools = Pick<ResponseRequest, "tool_choice" | "tools">;

/** As many functions as there may be tools; where there are namespaces, each name is known to be of one. */
function functionsFault({ tools = [] }: Tools): Refusal | null {
  if (!tools.some(({ type }) => type === "namespace")) return null;
  const functions = functionsOf(tools);
  if (functions.length > requestLimits.tools)
    return invalidValue(
      "tools",
      `must have at most ${requestLimits.tools} functions, those of namespaces among them`,
    );
  const names = new Set<string>();
  for (const { flat, param } of functions) {
    if (names.has(flat))
      return invalidValue(`${param}.name`, `is offered twice: both are '${flat}' to the model`);
    names.add(flat);
  }
  return null;
}

function toolChoiceFault({ tool_choice: choice, tools }: Tools): Refusal | null {
  const second = tools?.findLastIndex((tool) => tool.type === "file_search") ?? -1;
  if (second !== -1 && second !== tools?.findIndex((tool) => tool.type === "file_search"))
    return invalidValue(`tools[${second}]`, "is a second 'file_search': name all stores in one");
  if (choice === undefined || choice === "none" || choice === "auto") return null;
  const names = new Set(tools?.flatMap(choosable));
  if (names.size === 0) return invalidValue("tool_choice", "is only allowed when 'tools' are given");
  if (choice === "required") return null;
  if (choice.type !== "allowed_tools") {
    const param = choice.type === "function" ? "tool_choice.name" : "tool_choice.type";
    return names.has(chosenAs(choice)) ? null : invalidValue(param, "names no tool of 'tools'");
  }
  const at = choice.tools.findIndex((tool) => !names.has(chosenAs(tool)));
  if (at === -1) return null;
  const field = choice.tools[at]?.type === "function" ? "name" : "type";
  return invalidValue(`tool_choice.tools[${at}].${field}`, "names no tool of 'tools'");
}

/** Functions of a namespace by the names that the model knows. */
function choosable(tool: ResponseTool): readonly string[] {
  return tool.type === "namespace" ? functionsOf([tool]).map(({ flat }) => flat) : [chosenAs(tool)];
}

/** How `tool_choice` identifies a tool. The blank keeps other kinds apart from functions, whose names have none. */
function chosenAs(tool: { readonly type: "function"; readonly name: string } | { readonly type: string }) {
  if ("name" in tool) return tool.name;
  return tool.type === "file_search" ? "file search" : "web search";
}

export function imageCountFault(items: readonly Item[]): Refusal | null {
  let images = 0;
  for (const [at, item] of items.entries()) {
    const isResult = item.type === "function_call_output";
    if (!isResult && item.type !== "message") continue;
    const parts = isResult ? item.output : item.content;
    if (typeof parts === "string") continue;
    for (const { type } of parts) if (type === "input_image") images += 1;
    if (images > requestLimits.mediaParts)
      return invalidValue(
        `input[${at}].${isResult ? "output" : "content"}`,
        `brings the request over ${requestLimits.mediaParts} images`,
      );
  }
  return null;
}

export function fileCountFault(items: readonly Item[]): Refusal | null {
  let files = 0;
  for (const [at, item] of items.entries()) {
    if (item.type !== "message") continue;
    for (const { type } of item.content) if (type === "sent_file" || type === "input_file") files += 1;
    if (files > requestLimits.fileParts)
      return invalidValue(`input[${at}].content`, `brings the request over ${requestLimits.fileParts} files`);
  }
  return null;
}

/** Checks the fields that every event with the response repeats. */
function echoFault({ instructions, tools, text: form, metadata }: SentResponseRequest): Refusal | null {
  const units = JSON.stringify([instructions, tools, form, metadata]).length;
  if (units <= maxEchoedUnits) return null;
  return invalidValue(
    tools === undefined ? "instructions" : "tools",
    `is too large: instructions, tools, text and metadata may have ${maxEchoedUnits} characters together, as JSON`,
  );
}
