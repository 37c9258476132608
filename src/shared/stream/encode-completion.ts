/** OpenAI's legacy `text_completion` events. Reasoning and tool calls have no place in them. */
import type { WireErrorObject } from "../wire/wire-error.ts";
import type { AnswerEncoder, EncoderOptions } from "./answer-encoder.ts";
import type { EngineDelta, FinishReason } from "./engine-event.ts";
import { chunkTail } from "./encode-chat.ts";
import { frameOf, type EventFrame } from "./plain-event.ts";
import type { WireUsage } from "./wire-usage.ts";

export class CompletionEncoder implements AnswerEncoder {
  readonly #options: EncoderOptions;
  readonly #tail: string;
  #head = "";
  #frame: EventFrame | null = null;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#tail = chunkTail(options);
    this.begin(options.createdSeconds);
  }

  begin(createdSeconds: number): void {
    const { id, model } = this.#options;
    this.#frame = null;
    this.#head = `data: {"id":${JSON.stringify(id)},"object":"text_completion","created":${createdSeconds},"model":${JSON.stringify(model)},"choices":[`;
  }

  content(choice: number, literal: string): string {
    return `${this.#head}{"index":${choice},"text":${literal},"logprobs":null,"finish_reason":null}${this.#tail}`;
  }

  frame(): EventFrame {
    this.#frame ??= frameOf(
      `${this.#head}{"index":0,"text":"`,
      `","logprobs":null,"finish_reason":null}${this.#tail}`,
    );
    return this.#frame;
  }

  delta(delta: EngineDelta): string {
    if (delta.content === undefined) return "";
    const logprobs = JSON.stringify(delta.logprobs ?? null);
    return `${this.#head}{"index":${delta.index},"text":${JSON.stringify(delta.content)},"logprobs":${logprobs},"finish_reason":null}${this.#tail}`;
  }

  finish(choice: number, reason: FinishReason): string {
    return `${this.#head}{"index":${choice},"text":"","logprobs":null,"finish_reason":"${reason}"}${this.#tail}`;
  }

  end(usage: WireUsage): string {
    if (!this.#options.includeUsage) return "data: [DONE]\n\n";
    return `${this.#head}],"usage":${JSON.stringify(usage)}}\n\ndata: [DONE]\n\n`;
  }

  failure(error: WireErrorObject): string {
    return `data: ${JSON.stringify({ error })}\n\n`;
  }
}
