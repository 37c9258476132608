/** A cached answer as if it had just been generated: a stream if the client asked for one, one object otherwise. */
import type { CachedAnswer } from "../cache/ports.ts";
import { createEncoder, type AnswerFormat } from "./answer-encoder.ts";
import { readFinishReason } from "./engine-event.ts";
import { writeWholeAnswer, type AnswerShape } from "./whole-answer.ts";
import { toWireUsage, type Price } from "./wire-usage.ts";

export interface ReplayOptions {
  /** Of this request: an id is never given twice. */
  readonly id: string;
  readonly createdMs: number;
  /** For `cost`: a hit costs nothing, so zeros, or absent for no `cost` at all. */
  readonly price?: Price;
}

/** The whole stream, in as few events as possible. */
export function replayStream(
  answer: CachedAnswer,
  format: AnswerFormat,
  options: ReplayOptions & { readonly includeUsage: boolean },
): string {
  const encoder = createEncoder(format, {
    id: options.id,
    model: answer.model,
    createdSeconds: Math.floor(options.createdMs / 1000),
    includeUsage: options.includeUsage,
  });
  let text = "";
  for (const [index, choice] of answer.choices.entries()) {
    if (choice.reasoning !== null) text += encoder.delta({ index, reasoning: choice.reasoning });
    if (choice.content !== null) text += encoder.content(index, JSON.stringify(choice.content));
    if (choice.toolCalls.length > 0)
      text += encoder.delta({
        index,
        toolCalls: choice.toolCalls.map((call, at) => ({
          index: at,
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: call.arguments },
        })),
      });
    text += encoder.finish(index, readFinishReason(choice.finishReason) ?? "stop");
  }
  const first = readFinishReason(answer.choices[0]?.finishReason) ?? "stop";
  return text + encoder.end(toWireUsage(answer.usage, options.price), first);
}

export function replayWhole(answer: CachedAnswer, shape: AnswerShape, options: ReplayOptions): string {
  return writeWholeAnswer(
    {
      id: options.id,
      model: answer.model,
      createdSeconds: Math.floor(options.createdMs / 1000),
      choices: answer.choices,
      usage: answer.usage,
      price: options.price,
    },
    shape,
  );
}
