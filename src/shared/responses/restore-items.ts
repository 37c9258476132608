/**
 * Rebuilds an answer's items from the events of its journal, one by one, so that a writer that continues the answer says what the first
 * writer would have said. The events that the items produce on the way were sent already, and are dropped.
 */
import type { Grounding } from "../grounding/ground.ts";
import { isRecord } from "../wire/is-record.ts";
import { functionNameOf } from "./function-names.ts";
import type { OutputItems } from "./output-items.ts";
import { isServerCallType, type ServerCall, serverCallEndOf, serverCallOf } from "./server-items.ts";

export class RestoredItems {
  readonly #items: OutputItems;
  readonly #showsResults: boolean;
  /** What the journal's search had found. */
  #grounding: Grounding | null = null;
  /** A call of ours whose arguments follow. */
  #call: ServerCall | null = null;

  constructor(items: OutputItems, showsResults: boolean) {
    this.#items = items;
    this.#showsResults = showsResults;
  }

  /** Before the events of a search, which say nothing of what may be cited. */
  grounded(grounding: Grounding): void {
    this.#grounding = grounding;
    this.#items.grounded(grounding.passages);
  }

  /** Only events of a journal, in order. */
  take(event: Readonly<Record<string, unknown>>): void {
    this.#items.isRestoring = true;
    this.#take(event);
    this.#items.isRestoring = false;
  }

  #take(event: Readonly<Record<string, unknown>>): void {
    const { type, delta, item } = event;
    const text = typeof delta === "string" ? JSON.stringify(delta) : '""';
    switch (type) {
      case "response.output_text.delta":
        this.#items.text("output_text", text, innerJson(event["logprobs"]));
        break;
      case "response.output_text.annotation.added":
        this.#items.annotated(Number(event["output_index"]), JSON.stringify(event["annotation"]));
        break;
      case "response.reasoning_text.delta":
        this.#items.text("reasoning_text", text);
        break;
      case "response.refusal.delta":
        this.#items.text("refusal", text);
        break;
      case "response.output_item.added":
        if (isRecord(item) && item["type"] === "function_call")
          this.#items.call(Number(event["output_index"]), String(item["call_id"]), functionNameOf(item), "");
        else if (isRecord(item) && item["type"] === "file_search_call") {
          if (this.#grounding !== null) this.#items.search(this.#grounding, this.#showsResults);
        } else this.#serverCall(item);
        break;
      case "response.mcp_call_arguments.done":
        this.#serverArguments(String(event["arguments"]));
        break;
      case "response.function_call_arguments.delta":
        this.#items.call(Number(event["output_index"]), undefined, undefined, String(delta));
        break;
      case "response.output_item.done":
        if (isRecord(item)) this.#done(item);
    }
  }

  #done(item: Readonly<Record<string, unknown>>): void {
    if (!isServerCallType(item["type"])) {
      // Whatever was closed is closed again: under a guard all at once, otherwise by the next one's beginning.
      this.#items.close(item["status"] === "incomplete" ? "incomplete" : "completed");
      return;
    }
    const end = serverCallEndOf(item);
    if (end !== null) this.#items.closeServerCall(String(item["id"]), end);
  }

  /** One whose arguments follow is opened when they are there. */
  #serverCall(item: unknown): void {
    const call = serverCallOf(item);
    if (call === null) return;
    if (call.type === "web_search_call") this.#items.openServerCall(call);
    else this.#call = call;
  }

  #serverArguments(text: string): void {
    if (this.#call !== null) this.#items.openServerCall({ ...this.#call, arguments: text });
    this.#call = null;
  }
}

function innerJson(value: unknown): string {
  return Array.isArray(value) ? value.map((entry) => JSON.stringify(entry)).join(",") : "";
}
