/** Turns what happens in an answer into bytes for the client. One encoder for each format; none of them decides anything. */
import type { WireErrorObject } from "../wire/wire-error.ts";
import type { EventFrame } from "./plain-event.ts";
import type { EngineDelta, FinishReason } from "./engine-event.ts";
import { ChatEncoder } from "./encode-chat.ts";
import { CompletionEncoder } from "./encode-completion.ts";
import { TextEncoderOfAnswers } from "./encode-text.ts";
import type { WireUsage } from "./wire-usage.ts";

/**
 * `openai-chat`: chat.completion.chunk events. `openai-completion`: text_completion events. `text`: ours, plain text.
 * `none`: nothing is written, for answers that are assembled or journaled.
 */
export type AnswerFormat = "openai-chat" | "openai-completion" | "text" | "none";

export interface EncoderOptions {
  readonly id: string;
  /** The public model id. */
  readonly model: string;
  /** Seconds since 1970, where the engine does not say. */
  readonly createdSeconds: number;
  /** The client asked for the usage chunk. */
  readonly includeUsage: boolean;
}

/** Each method gives whole SSE events as text, or "" where the format has none for it. */
export interface AnswerEncoder {
  /** The engine's `created`, before any other call. */
  begin(createdSeconds: number): void;
  /** Plain content: the hot one. `literal` is the text as a JSON string, quotes included. */
  content(choice: number, literal: string): string;
  /** The bytes around a text of choice 0 that JSON does not escape; `null`: `content` has more to say than that. */
  frame(): EventFrame | null;
  /** Anything else in a delta, except its finish reason. */
  delta(delta: EngineDelta): string;
  finish(choice: number, reason: FinishReason): string;
  /** A good end: usage if asked for, then the end mark. */
  end(usage: WireUsage, finishReason: FinishReason): string;
  /** The last event of an answer that broke. No end mark follows. */
  failure(error: WireErrorObject): string;
}

export function createEncoder(format: AnswerFormat, options: EncoderOptions): AnswerEncoder {
  switch (format) {
    case "openai-chat":
      return new ChatEncoder(options);
    case "openai-completion":
      return new CompletionEncoder(options);
    case "text":
      return new TextEncoderOfAnswers();
    case "none":
      return silent;
  }
}

const nothing = (): string => "";
const silent: AnswerEncoder = {
  begin: () => undefined,
  content: nothing,
  frame: () => null,
  delta: nothing,
  finish: nothing,
  end: nothing,
  failure: nothing,
};
