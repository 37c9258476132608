/**
 * Writes a response's events, from `response.created` to its one terminal event, and the final object. An event's
 * `sequence_number` is its number in the journal, so that resuming needs nothing but that number.
 *
 * It can be made again from a journal (`restore`): whoever ends or goes on with a turn whose memory is lost says what the
 * first writer would have said.
 */
import type { Grounding } from "../grounding/ground.ts";
import type { AnswerEncoder } from "../stream/answer-encoder.ts";
import type { EngineDelta, FinishReason } from "../stream/engine-event.ts";
import { toChatLogprobs } from "../stream/logprobs.ts";
import { isRecord, type Price } from "../stream/wire-usage.ts";
import type { Usage } from "../contracts/usage.ts";
import type { WireErrorObject } from "../wire/wire-error.ts";
import type { CitedSource } from "./citations.ts";
import { OutputItems } from "./output-items.ts";
import {
  isServerCallType,
  type ServerCall,
  type ServerCallEnd,
  serverCallEndOf,
  serverCallOf,
} from "./server-items.ts";
import { openEnd, type ResponseEnd, type ResponseIdentity, writeResponse } from "./response-object.ts";

/**
 * Texts of one answer, as JSON: its last event repeats all of them beside what the request says, and a journal's event
 * holds 500,000. An answer that grows over it ends as `incomplete`.
 */
export const maxOutputUnits = 300_000;

export interface WriterOptions {
  readonly identity: ResponseIdentity;
  readonly objectName: string;
  /** As the client asked for it, until the model that answers is known. */
  readonly model: string;
  readonly background: boolean;
  /** A guard holds text of each lane back until the answer's end. */
  readonly guarded: boolean;
  /** Whether a search of files tells what it found (`include`). */
  readonly showsResults?: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class ResponseWriter implements AnswerEncoder {
  readonly #identity: ResponseIdentity;
  readonly #background: boolean;
  readonly #items: OutputItems;
  readonly #showsResults: boolean;
  /** What the journal's search had found, for `restore`. */
  #grounding: Grounding | null = null;
  #model: string;
  #next = 0;
  #final: string | null = null;
  #restoring: ServerCall | null = null;
  /** Told with the end by whoever knows it; the encoder's own `end` has no exact numbers. */
  usage: () => { readonly usage: Usage; readonly price: Price | undefined } | null = () => null;
  readonly #now: () => number;

  constructor({
    identity,
    objectName,
    model,
    background,
    guarded,
    showsResults = false,
    now,
  }: WriterOptions) {
    this.#showsResults = showsResults;
    this.#now = now;
    this.#identity = identity;
    this.#background = background;
    this.#model = model;
    this.#items = new OutputItems(objectName, !guarded, (type, fields) => this.#event(type, fields));
  }

  /** The number that the next event gets. */
  get nextSequence(): number {
    return this.#next;
  }

  get isFull(): boolean {
    return this.#items.units >= maxOutputUnits;
  }

  /** JSON of the response as it ended; `null` before its end. */
  get final(): string | null {
    return this.#final;
  }

  /** The model that answers. */
  named(model: string): void {
    this.#model = model;
  }

  /** What the model was given to cite, by its number, 1 first. To be known before the text that cites it is closed. */
  set sources(sources: readonly CitedSource[]) {
    this.#items.sources = sources;
  }

  /** Calls of tools that the server runs itself. */
  openServerCall(call: ServerCall): { readonly id: string; readonly said: string } {
    return this.#items.openServerCall(call);
  }

  closeServerCall(id: string, end: ServerCallEnd): string {
    return this.#items.closeServerCall(id, end);
  }

  /** The response while it has no end, as JSON. */
  open(status: "queued" | "in_progress"): string {
    return this.#object(openEnd(status));
  }

  /** Before anything is admitted: only where the client does not wait for it. */
  queued(): string {
    const response = this.#object(openEnd("queued"));
    return (
      this.#event("response.created", `${responseField}${response}`) +
      this.#event("response.queued", `${responseField}${response}`)
    );
  }

  started(): string {
    const response = this.#object(openEnd("in_progress"));
    const created = this.#background ? "" : this.#event("response.created", `${responseField}${response}`);
    return created + this.#event("response.in_progress", `${responseField}${response}`);
  }

  /** Behind `started`: the files were searched before the model was asked. */
  searched(grounding: Grounding): string {
    return this.#items.search(grounding, this.#showsResults);
  }

  /** Before `restore`: what an earlier run had found, whose search its events tell. */
  grounded(grounding: Grounding): void {
    this.#grounding = grounding;
    this.#items.grounded(grounding.passages);
  }

  begin(): void {
    // When the engine began is not when the response was created.
  }

  content(_choice: number, literal: string): string {
    return this.#items.text("output_text", literal);
  }

  /** Its events are numbered: no two are alike. */
  frame(): null {
    return null;
  }

  delta(delta: EngineDelta): string {
    let text = "";
    if (delta.reasoning !== undefined)
      text += this.#items.text("reasoning_text", JSON.stringify(delta.reasoning));
    if (delta.content !== undefined)
      text += this.#items.text("output_text", JSON.stringify(delta.content), logprobsJson(delta));
    if (delta.refusal !== undefined) text += this.#items.text("refusal", JSON.stringify(delta.refusal));
    for (const call of delta.toolCalls ?? [])
      text += this.#items.call(call.index, call.id, call.function.name, call.function.arguments ?? "");
    return text;
  }

  finish(_choice: number, reason: FinishReason): string {
    return this.#items.close(incompleteReason(reason) === null ? "completed" : "incomplete");
  }

  end(_usage: unknown, reason: FinishReason): string {
    const incomplete = incompleteReason(reason);
    return incomplete === null
      ? this.#terminal("response.completed", { status: "completed" })
      : this.#terminal("response.incomplete", { status: "incomplete", incompleteReason: incomplete });
  }

  failure(error: WireErrorObject): string {
    return this.failed(responseErrorCode(error), error.message);
  }

  failed(code: string, message: string): string {
    return (
      this.#items.close("incomplete") +
      this.#terminal("response.failed", { status: "failed", error: { code, message } })
    );
  }

  /** OpenAI's events have no word for it: the terminal event is `response.incomplete`, its response says `cancelled`. */
  cancelled(): string {
    return this.#items.close("incomplete") + this.#terminal("response.incomplete", { status: "cancelled" });
  }

  /** Takes in what another writer of the same response has said, in order: only events of a journal. */
  restore(data: string): void {
    const event: unknown = JSON.parse(data);
    if (!isRecord(event)) return;
    const { type, delta, item } = event;
    const text = typeof delta === "string" ? JSON.stringify(delta) : '""';
    if (isRecord(event["response"]) && typeof event["response"]["model"] === "string")
      this.#model = event["response"]["model"];
    switch (type) {
      case "response.output_text.delta":
        this.#items.text("output_text", text, innerJson(event["logprobs"]));
        break;
      case "response.reasoning_text.delta":
        this.#items.text("reasoning_text", text);
        break;
      case "response.refusal.delta":
        this.#items.text("refusal", text);
        break;
      case "response.output_item.added":
        if (isRecord(item) && item["type"] === "function_call")
          this.#items.call(Number(event["output_index"]), String(item["call_id"]), String(item["name"]), "");
        else if (isRecord(item) && item["type"] === "file_search_call") {
          if (this.#grounding !== null) this.#items.search(this.#grounding, this.#showsResults);
        } else this.#restoreServerCall(item);
        break;
      case "response.mcp_call_arguments.done":
        this.#restoreArguments(String(event["arguments"]));
        break;
      case "response.function_call_arguments.delta":
        this.#items.call(Number(event["output_index"]), undefined, undefined, String(delta));
        break;
      case "response.output_item.done":
        if (isRecord(item) && isServerCallType(item["type"])) {
          const end = serverCallEndOf(item);
          if (end !== null) this.#items.closeServerCall(String(item["id"]), end);
          break;
        }
        // Whatever was closed is closed again: under a guard all at once, otherwise by the next one's beginning.
        if (isRecord(item)) this.#items.close(item["status"] === "incomplete" ? "incomplete" : "completed");
    }
    this.#next = Number(event["sequence_number"]) + 1;
  }

  /** One whose arguments follow is opened when they are there. */
  #restoreServerCall(item: unknown): void {
    const call = serverCallOf(item);
    if (call === null) return;
    if (call.type === "web_search_call") this.#items.openServerCall(call);
    else this.#restoring = call;
  }

  #restoreArguments(text: string): void {
    if (this.#restoring !== null) this.#items.openServerCall({ ...this.#restoring, arguments: text });
    this.#restoring = null;
  }

  #terminal(type: string, end: Partial<ResponseEnd> & Pick<ResponseEnd, "status">): string {
    const known = this.usage();
    this.#final = this.#object({
      completedAt: end.status === "completed" ? Math.floor(this.#now() / 1000) : null,
      error: null,
      incompleteReason: null,
      usage: known?.usage ?? noUsage,
      price: known?.price,
      ...end,
    });
    return this.#event(type, `${responseField}${this.#final}`);
  }

  #object(end: ResponseEnd): string {
    return writeResponse(this.#identity, this.#model, end, this.#items.json());
  }

  #event(type: string, fields: string): string {
    const sequence = this.#next;
    this.#next += 1;
    return `event: ${type}\ndata: {"type":"${type}",${fields}${sequenceField}${sequence}}\n\n`;
  }
}

/** The data of an event that holds a response, with another one: its number stands behind. */
export function inEventsResponse(data: string, change: (response: string) => string): string {
  const begin = data.indexOf(responseField) + responseField.length;
  const end = data.lastIndexOf(sequenceField);
  return data.slice(0, begin) + change(data.slice(begin, end)) + data.slice(end);
}

const responseField = '"response":';
const sequenceField = ',"sequence_number":';

/** Of a response that ended before a model answered. */
const noUsage: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

function incompleteReason(reason: FinishReason): "max_output_tokens" | "content_filter" | null {
  if (reason === "length") return "max_output_tokens";
  return reason === "content_filter" ? reason : null;
}

/** OpenAI's codes of a failed response are fewer than those of a refused request. */
export function responseErrorCode({ type, code }: Pick<WireErrorObject, "type" | "code">): string {
  if (code === "rate_limit_exceeded" || code === "insufficient_quota") return "rate_limit_exceeded";
  return type === "invalid_request_error" ? "invalid_prompt" : "server_error";
}

function logprobsJson(delta: EngineDelta): string {
  const logprobs = toChatLogprobs(delta.logprobs)?.content ?? [];
  return logprobs.map((entry) => JSON.stringify(entry)).join(",");
}

function innerJson(value: unknown): string {
  return Array.isArray(value) ? value.map((entry) => JSON.stringify(entry)).join(",") : "";
}
