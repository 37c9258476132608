/** OpenAI's `chat.completion.chunk` events. */
import type { WireErrorObject } from "../wire/wire-error.ts";
import type { AnswerEncoder, EncoderOptions } from "./answer-encoder.ts";
import type { EngineDelta, FinishReason } from "./engine-event.ts";
import { frameOf, type EventFrame } from "./plain-event.ts";
import type { WireUsage } from "./wire-usage.ts";
import { toChatLogprobs } from "./logprobs.ts";

/**
 * From the end of a chunk's choices. Where the client asked for the usage, every chunk names it, with null until the last (OpenAI's
 * `stream_options.include_usage`).
 */
export function chunkTail({ includeUsage }: Pick<EncoderOptions, "includeUsage">): string {
  return includeUsage ? '],"usage":null}\n\n' : "]}\n\n";
}

export class ChatEncoder implements AnswerEncoder {
  readonly #options: EncoderOptions;
  /** Up to the choices of a chunk. */
  #head = "";
  readonly #tail: string;
  readonly #contentTail: string;
  /** For choice 0, usually the only one. */
  #contentHead = "";
  #frame: EventFrame | null = null;
  /** Choices that have had their role: a `completions` engine never sends one. */
  #opened = 0;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#tail = chunkTail(options);
    this.#contentTail = `},"logprobs":null,"finish_reason":null}${this.#tail}`;
    this.begin(options.createdSeconds);
  }

  begin(createdSeconds: number): void {
    const { id, model } = this.#options;
    this.#head = `data: {"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${createdSeconds},"model":${JSON.stringify(model)},"choices":[`;
    this.#frame = null;
    this.#contentHead = `${this.#head}{"index":0,"delta":{"content":`;
  }

  content(choice: number, literal: string): string {
    const opening = this.#open(choice);
    const head = choice === 0 ? this.#contentHead : `${this.#head}{"index":${choice},"delta":{"content":`;
    return `${opening}${head}${literal}${this.#contentTail}`;
  }

  frame(): EventFrame | null {
    if (this.#opened === 0) return null;
    this.#frame ??= frameOf(`${this.#contentHead}"`, `"${this.#contentTail}`);
    return this.#frame;
  }

  delta(delta: EngineDelta): string {
    // Whoever puts chunks together (OpenAI's own helpers do) would have its name as often as an engine says it.
    const isNamed = delta.role !== undefined && delta.index >= this.#opened;
    const opening = isNamed ? this.#open(delta.index - 1) : this.#open(delta.index);
    if (isNamed) this.#opened = delta.index + 1;
    const wire = {
      ...(isNamed ? { role: "assistant" } : {}),
      ...(delta.content === undefined ? {} : { content: delta.content }),
      // Both names are in use among clients.
      ...(delta.reasoning === undefined
        ? {}
        : { reasoning: delta.reasoning, reasoning_content: delta.reasoning }),
      ...(delta.refusal === undefined ? {} : { refusal: delta.refusal }),
      ...(delta.toolCalls === undefined ? {} : { tool_calls: delta.toolCalls }),
    };
    return `${opening}${this.#chunk(delta.index, JSON.stringify(wire), JSON.stringify(toChatLogprobs(delta.logprobs)), "null")}`;
  }

  finish(choice: number, reason: FinishReason): string {
    return `${this.#open(choice)}${this.#chunk(choice, "{}", "null", `"${reason}"`)}`;
  }

  end(usage: WireUsage): string {
    if (!this.#options.includeUsage) return "data: [DONE]\n\n";
    return `${this.#head}],"usage":${JSON.stringify(usage)}}\n\ndata: [DONE]\n\n`;
  }

  failure(error: WireErrorObject): string {
    return `data: ${JSON.stringify({ error })}\n\n`;
  }

  /** A choice's first chunk names its role. Choices open in order, or all at once with the highest. */
  #open(choice: number): string {
    let text = "";
    while (this.#opened <= choice) {
      text += this.#chunk(this.#opened, '{"role":"assistant","content":""}', "null", "null");
      this.#opened++;
    }
    return text;
  }

  #chunk(choice: number, delta: string, logprobs: string, finish: string): string {
    return `${this.#head}{"index":${choice},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${this.#tail}`;
  }
}
