/** Which encoder writes the answer of a pass (answer-pass.ts): the format's own, another in its place, or one around it. */
import { createEncoder, type AnswerEncoder } from "./answer-encoder.ts";
import type { AnswerPassOptions } from "./answer-options.ts";

export function encoderFor(options: AnswerPassOptions): AnswerEncoder {
  const encoder =
    options.encoder ??
    createEncoder(options.format, {
      id: options.id,
      model: options.model,
      createdSeconds: options.begun?.createdSeconds ?? Math.floor(options.createdMs / 1000),
      includeUsage: options.includeUsage,
    });
  return options.around === undefined ? encoder : options.around(encoder);
}
