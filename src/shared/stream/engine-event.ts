/**
 * What does one event of an engine's stream say? Reads `/v1/chat/completions` and `/v1/completions` chunks of vLLM and
 * of other OpenAI-compatible servers into one shape that holds only what OpenAI's schema knows: an engine's own fields
 * (`stop_reason`, `token_ids`, `prompt_logprobs`, `kv_transfer_params`, …) end here.
 */
import { engineSays } from "../routing/engines/engine-words.ts";
import { readEngineUsage, type EngineUsage } from "./wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";
import { isTooDeep } from "./nesting.ts";

export type EngineApi = "chat" | "completions";

export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments?: string };
}

/** OpenAI's finish reasons. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/** What one event adds to one choice. Absent: nothing. */
export interface EngineDelta {
  readonly index: number;
  readonly role?: string;
  readonly content?: string;
  readonly reasoning?: string;
  readonly refusal?: string;
  readonly toolCalls?: readonly ToolCallDelta[];
  /** In the form of the engine's API: chat's `{content, refusal}` or the legacy lists. */
  readonly logprobs?: Readonly<Record<string, unknown>>;
  readonly finishReason?: FinishReason;
}

export type EngineEvent =
  | {
      readonly kind: "chunk";
      readonly created: number | null;
      readonly deltas: readonly EngineDelta[];
      readonly usage: EngineUsage | null;
    }
  /** The engine reports a failure of its own, or the event is not JSON or not a chunk. The text is only for the log. */
  | { readonly kind: "failure"; readonly detail: string };

export function readEngineEvent(data: string, api: EngineApi): EngineEvent {
  if (isTooDeep(data)) return { kind: "failure", detail: "an event is nested too deeply" };
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return { kind: "failure", detail: "an event is no JSON" };
  }
  if (!isRecord(value)) return { kind: "failure", detail: "an event is no object" };
  if (value["error"] !== undefined && value["error"] !== null)
    return { kind: "failure", detail: engineSays(value["error"]) };
  if (value["object"] === "error") return { kind: "failure", detail: engineSays(value) };
  // Servers in Go write an empty list as null.
  const choices = value["choices"] ?? (isRecord(value["usage"]) ? [] : null);
  if (!Array.isArray(choices)) return { kind: "failure", detail: "an event is no chunk" };
  const deltas: EngineDelta[] = [];
  for (const choice of choices as readonly unknown[]) {
    const delta = isRecord(choice) ? readChoice(choice, api) : null;
    if (delta === null) return { kind: "failure", detail: "a choice of a chunk can't be read" };
    deltas.push(delta);
  }
  const created = value["created"];
  return {
    kind: "chunk",
    created: typeof created === "number" && Number.isSafeInteger(created) ? created : null,
    deltas,
    usage: readEngineUsage(value["usage"]),
  };
}

function readChoice(choice: Readonly<Record<string, unknown>>, api: EngineApi): EngineDelta | null {
  const index = choice["index"] ?? 0;
  // Some say the whole answer in one event, as they would without a stream.
  const delta = api === "chat" ? (choice["delta"] ?? choice["message"] ?? {}) : choice;
  if (!isIndex(index) || !isRecord(delta)) return null;
  const finish = choice["finish_reason"] ?? null;
  const finishReason = finish === null ? undefined : readFinishReason(finish);
  if (finishReason === null) return null;
  const role = delta["role"];
  const { content, thinking } = contentOf(api === "chat" ? delta["content"] : delta["text"]);
  const reasoning = delta["reasoning"] ?? delta["reasoning_content"] ?? thinking;
  const refusal = delta["refusal"];
  const toolCalls = readToolCalls(delta["tool_calls"]);
  const logprobs = choice["logprobs"];
  return {
    index,
    ...(typeof role === "string" ? { role } : {}),
    ...(typeof content === "string" ? { content } : {}),
    ...(typeof reasoning === "string" && reasoning !== "" ? { reasoning } : {}),
    ...(typeof refusal === "string" ? { refusal } : {}),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(isRecord(logprobs) ? { logprobs } : {}),
    ...(finishReason === undefined ? {} : { finishReason }),
  };
}

/**
 * What is said, and what is thought, where an engine says it in parts: Mistral's reasoning models do so, `{"type": "thinking", "thinking":
 * [{"type": "text", "text": "…"}]}` and text behind it (https://docs.mistral.ai/capabilities/reasoning/).
 */
export function contentOf(value: unknown): { readonly content: unknown; readonly thinking?: string } {
  if (!Array.isArray(value)) return { content: value };
  let thinking: string | undefined;
  for (const part of value as readonly unknown[]) {
    if (!isRecord(part) || part["type"] !== "thinking") continue;
    const thoughts = textOf(part["thinking"]);
    if (typeof thoughts === "string") thinking = (thinking ?? "") + thoughts;
  }
  return { content: textOf(value), ...(thinking === undefined ? {} : { thinking }) };
}

/** The texts of the parts in one; what is no list stays as it is. */
function textOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  let text: string | undefined;
  for (const part of value as readonly unknown[])
    if (isRecord(part) && typeof part["text"] === "string") text = (text ?? "") + part["text"];
  return text;
}

/** Of a choice or a tool call: bounded, since lists are as long as the highest one. */
function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1024;
}

/** `null`: the engine gave up (vLLM's `abort`, `error`), which is no way for an answer to end. */
export function readFinishReason(value: unknown): FinishReason | null {
  switch (value) {
    case "stop":
    case "length":
    case "tool_calls":
    case "content_filter":
    case "function_call":
      return value;
    case "abort":
    case "error":
      return null;
    default:
      // Other servers have names of their own for a natural end ("eos", "stop_sequence", …).
      return "stop";
  }
}

/** Ollama's own form of them is an object. */
function argumentsOf(value: unknown): { readonly arguments?: string } {
  if (typeof value === "string") return { arguments: value };
  return isRecord(value) ? { arguments: JSON.stringify(value) } : {};
}

export function readToolCalls(value: unknown): ToolCallDelta[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).flatMap((call, position) => {
    if (!isRecord(call)) return [];
    const fn = isRecord(call["function"]) ? call["function"] : {};
    const index = call["index"];
    return [
      {
        index: isIndex(index) ? index : position,
        ...(typeof call["id"] === "string" ? { id: call["id"], type: "function" as const } : {}),
        function: {
          ...(typeof fn["name"] === "string" ? { name: fn["name"] } : {}),
          ...argumentsOf(fn["arguments"]),
        },
      },
    ];
  });
}
