/**
 * `stream_format: "text"`, for programs of a few lines: pieces of the answer's text, then one last event with everything
 * else. Reasoning and tool calls have no place in it; with several choices only the first one's text is sent.
 */
import type { WireErrorObject } from "../wire/wire-error.ts";
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { EngineDelta, FinishReason } from "./engine-event.ts";
import { frameOf, type EventFrame } from "./plain-event.ts";
import type { WireUsage } from "./wire-usage.ts";

const frame = frameOf('data: {"text":"', '","done":false}\n\n');

export class TextEncoderOfAnswers implements AnswerEncoder {
  begin(): void {
    // Its events name neither id nor time.
  }

  content(choice: number, literal: string): string {
    return choice === 0 && literal !== '""' ? `data: {"text":${literal},"done":false}\n\n` : "";
  }

  frame(): EventFrame {
    return frame;
  }

  delta(delta: EngineDelta): string {
    return delta.content === undefined ? "" : this.content(delta.index, JSON.stringify(delta.content));
  }

  finish(): string {
    return "";
  }

  /** `tokens` is what is billed: the completion tokens. No `[DONE]` follows. */
  end(usage: WireUsage, finishReason: FinishReason): string {
    const last = {
      text: "",
      done: true,
      tokens: usage.completion_tokens,
      finish_reason: finishReason,
      usage,
    };
    return `data: ${JSON.stringify(last)}\n\n`;
  }

  failure(error: WireErrorObject): string {
    return `data: ${JSON.stringify({ text: "", done: true, error })}\n\n`;
  }
}
