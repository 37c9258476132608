/**
 * How does a tool call that Edgewise made itself look in a response? As OpenAI's items for tools that a server runs: `mcp_call`, with its
 * arguments and its output, or `web_search_call`. A `function_call` would ask the client to answer it.
 */
import { isRecord } from "../wire/is-record.ts";
import { webSearchName } from "../tools/names.ts";
import type { ServerCallType } from "../tools/server-tool.ts";

/** A call as the model made it. */
export interface ServerCall {
  readonly type: ServerCallType;
  readonly name: string;
  /** JSON text of an object. */
  readonly arguments: string;
}

/** How it ended, as it is shown. */
export interface ServerCallEnd {
  readonly status: "completed" | "failed" | "incomplete";
  /** The result as the model read it; `null`: the call failed. */
  readonly output: string | null;
  /** In our words; `null`: none. */
  readonly error: string | null;
}

const serverLabel = "edgewise";

export function isServerCallType(type: unknown): type is ServerCallType {
  return type === "mcp_call" || type === "web_search_call";
}

/** JSON of the item. `end` null: it has none yet. */
export function serverItemJson(id: string, call: ServerCall, end: ServerCallEnd | null): string {
  if (call.type === "web_search_call") {
    const query = queryOf(call.arguments);
    return JSON.stringify({
      id,
      type: call.type,
      status: end === null ? "in_progress" : end.status === "completed" ? "completed" : "failed",
      action: { type: "search", query, queries: [query] },
    });
  }
  return JSON.stringify({
    id,
    type: call.type,
    status: end === null ? "in_progress" : end.status,
    server_label: serverLabel,
    name: call.name,
    arguments: call.arguments,
    output: end === null ? null : end.output,
    error: end === null || end.error === null ? null : executionError(end.error),
    approval_request_id: null,
  });
}

function executionError(text: string): object {
  return { type: "mcp_tool_execution_error", content: [{ type: "text", text }] };
}

/** The events behind `response.output_item.added`, each as its type and its fields but `item_id` and `output_index`. */
export function openingEvents(call: ServerCall): readonly EventPart[] {
  if (call.type === "web_search_call")
    return [
      ["response.web_search_call.in_progress", ""],
      ["response.web_search_call.searching", ""],
    ];
  const text = JSON.stringify(call.arguments);
  return [
    ["response.mcp_call.in_progress", ""],
    ["response.mcp_call_arguments.delta", `,"delta":${text}`],
    ["response.mcp_call_arguments.done", `,"arguments":${text}`],
  ];
}

/** The event before `response.output_item.done`. OpenAI has none for a search that failed, nor for a call that was cut off. */
export function closingEvents(call: ServerCall, end: ServerCallEnd): readonly EventPart[] {
  if (end.status === "incomplete") return [];
  if (call.type === "mcp_call") return [[`response.mcp_call.${end.status}`, ""]];
  return end.status === "completed" ? [["response.web_search_call.completed", ""]] : [];
}

type EventPart = readonly [type: string, fields: string];

/** A call of an item that a journal's event or a stored response holds; `null`: it is of another kind. */
export function serverCallOf(item: unknown): ServerCall | null {
  if (!isRecord(item) || !isServerCallType(item["type"])) return null;
  const { type, name, action } = item;
  if (type === "web_search_call") {
    const query = isRecord(action) ? action["query"] : "";
    return { type, name: webSearchName, arguments: JSON.stringify({ query }) };
  }
  return { type, name: String(name), arguments: String(item["arguments"]) };
}

/** How such an item says that it ended; `null`: it has not. */
export function serverCallEndOf(item: unknown): ServerCallEnd | null {
  if (!isRecord(item)) return null;
  const { status, output, error } = item;
  if (status !== "completed" && status !== "failed" && status !== "incomplete") return null;
  return { status, output: typeof output === "string" ? output : null, error: errorText(error) };
}

function errorText(error: unknown): string | null {
  if (typeof error === "string") return error;
  const content: unknown = isRecord(error) ? error["content"] : null;
  const first: unknown = Array.isArray(content) ? content[0] : null;
  return isRecord(first) && typeof first["text"] === "string" ? first["text"] : null;
}

function queryOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value["query"] === "string" ? value["query"] : "";
  } catch {
    // What a model wrote need not be JSON: its call fails, and is shown without a query.
    return "";
  }
}
