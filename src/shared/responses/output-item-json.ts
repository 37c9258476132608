/** How does an item of an answer look, while it grows and when it is closed? As JSON text. */
import type { CitationScanner } from "../grounding/citation-scanner.ts";
import type { FunctionName } from "./function-names.ts";
import type { Item } from "./item.ts";
import { type ServerCall, serverItemJson } from "./server-items.ts";

export type PartKind = "output_text" | "refusal" | "reasoning_text";

export interface Part {
  readonly kind: PartKind;
  /** Inside of a JSON string. */
  text: string;
  /** JSON objects, comma between them. */
  logprobs: string;
  /** Finds what the text cites; `null`: there is nothing to cite. */
  readonly scanner: CitationScanner | null;
  /** JSON of each annotation that was sent. */
  readonly annotations: string[];
  /** The same of those that are still to be sent. */
  readonly owed: string[];
}

export interface OpenItem {
  readonly type: Exclude<Item["type"], "function_call_output">;
  readonly id: string;
  readonly index: number;
  readonly parts: Part[];
  /** Of a call: the engine's index of it, its id, its function's name, and arguments as the inside of a JSON string. */
  readonly call: {
    readonly at: number;
    readonly id: string;
    readonly name: string;
    readonly namespace?: string;
    arguments: string;
  } | null;
  /** A call that is ours to answer. */
  readonly server: ServerCall | null;
  /** JSON, once closed. */
  closed: string | null;
}

export function partJson({ kind, text, logprobs, annotations }: Part): string {
  switch (kind) {
    case "output_text":
      return `{"type":"output_text","text":"${text}","annotations":[${annotations.join(",")}],"logprobs":[${logprobs}]}`;
    case "refusal":
      return `{"type":"refusal","refusal":"${text}"}`;
    case "reasoning_text":
      return `{"type":"reasoning_text","text":"${text}"}`;
  }
}

export function itemJson(item: OpenItem, status: "in_progress" | "completed" | "incomplete"): string {
  // Its arguments come in an event of their own; an answer that ends before its call does shows them.
  if (item.server !== null) {
    const isWhole = status !== "in_progress" || item.server.type === "web_search_call";
    return serverItemJson(item.id, isWhole ? item.server : { ...item.server, arguments: "" }, null);
  }
  const head = `{"id":"${item.id}","type":"${item.type}","status":"${status}"`;
  if (item.call !== null)
    return `${head},"call_id":${JSON.stringify(item.call.id)},${nameJson(item.call)},"arguments":"${item.call.arguments}"}`;
  const content = `"content":[${item.parts.map(partJson).join(",")}]`;
  return item.type === "reasoning"
    ? `${head},"summary":[],${content}}`
    : `${head},"role":"assistant",${content}}`;
}

/** Fields without the outer braces. */
export function nameJson({ name, namespace }: FunctionName): string {
  const said = `"name":${JSON.stringify(name)}`;
  return namespace === undefined ? said : `${said},"namespace":${JSON.stringify(namespace)}`;
}

/** Where an event's part stands, as its fields say it. */
export function placeOf(item: OpenItem, part: number): string {
  return `${itemPlace(item)},"content_index":${part}`;
}

export function itemPlace(item: OpenItem): string {
  return `"item_id":"${item.id}","output_index":${item.index}`;
}
