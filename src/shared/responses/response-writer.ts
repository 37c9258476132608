/**
 * Writes a response's events, from `response.created` to its one terminal event, and the final object. An event's
 * `sequence_number` is its number in the journal, so that resuming needs nothing but that number.
 *
 * It can be made again from a journal (`restore`): whoever ends or goes on with a turn whose memory is lost says what the
 * first writer would have said.
 */
import type { WebSource } from "../grounding/citable.ts";
import type { Grounding } from "../grounding/ground.ts";
import type { AnswerEncoder } from "../stream/answer-encoder.ts";
import type { EngineDelta, FinishReason } from "../stream/engine-event.ts";
import { toChatLogprobs } from "../stream/logprobs.ts";
import type { Price } from "../stream/wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";
import type { Usage } from "../contracts/usage.ts";
import type { WireErrorObject } from "../wire/wire-error.ts";
import { type FunctionName, namespacedNames } from "./function-names.ts";
import { OutputItems } from "./output-items.ts";
import { maxOutputUnits } from "./output-limits.ts";
import { openEnd, type ResponseEnd, type ResponseIdentity, writeResponse } from "./response-object.ts";
import { RestoredItems } from "./restore-items.ts";
import type { ServerCall, ServerCallEnd } from "./server-items.ts";

export interface WriterOptions {
  readonly identity: ResponseIdentity;
  readonly objectName: string;
  /** As the client asked for it, until the model that answers is known. */
  readonly model: string;
  readonly background: boolean;
  /** A guard holds text of each lane back until the answer's end. */
  readonly guarded: boolean;
  /** Whether a search of files shows its results (`include`). */
  readonly showsResults?: boolean;
  /** The answer's text is JSON, in which a list of numbers cites nothing. */
  readonly isJson: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class ResponseWriter implements AnswerEncoder {
  readonly #identity: ResponseIdentity;
  readonly #background: boolean;
  readonly #items: OutputItems;
  readonly #restored: RestoredItems;
  readonly #showsResults: boolean;
  /** By what the engine calls them. */
  readonly #namespaced: ReadonlyMap<string, FunctionName>;
  #model: string;
  #next = 0;
  #final: string | null = null;
  /** Set with the end by the code that knows it; the encoder's own `end` has no exact numbers. */
  usage: () => { readonly usage: Usage; readonly price: Price | undefined } | null = () => null;
  readonly #now: () => number;

  constructor({
    identity,
    objectName,
    model,
    background,
    guarded,
    showsResults = false,
    isJson,
    now,
  }: WriterOptions) {
    this.#showsResults = showsResults;
    this.#now = now;
    this.#identity = identity;
    this.#namespaced = namespacedNames(identity.echo["tools"]);
    this.#background = background;
    this.#model = model;
    this.#items = new OutputItems(objectName, !guarded, isJson, (type, fields) => this.#event(type, fields));
    this.#restored = new RestoredItems(this.#items, showsResults);
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

  /** What the model was given of the web to cite, by its number behind the passages'. To be known before the text that cites it begins. */
  set sources(sources: readonly WebSource[]) {
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
  open(status: Parameters<typeof openEnd>[0]): string {
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
    this.#restored.grounded(grounding);
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
      text += this.#items.call(
        call.index,
        call.id,
        this.#nameOf(call.function.name),
        call.function.arguments ?? "",
      );
    return text;
  }

  #nameOf(flat: string | undefined): FunctionName | undefined {
    return flat === undefined ? undefined : (this.#namespaced.get(flat) ?? { name: flat });
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
    const { response } = event;
    if (isRecord(response) && typeof response["model"] === "string") this.#model = response["model"];
    this.#restored.take(event);
    this.#next = Number(event["sequence_number"]) + 1;
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
