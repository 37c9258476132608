/** A client that did not ask for a stream gets one object, though the engine streamed (a silent tunnel dies after 100 s). */
import { AnswerCollector } from "./answer-collector.ts";
import type { AnswerPassOptions, AnswerTotals } from "./answer-options.ts";
import { AnswerPass } from "./answer-pass.ts";
import type { RelayOptions } from "./relay-loop.ts";
import { relayStream } from "./relay.ts";
import type { StreamEnd } from "./stream-failure.ts";
import { writeWholeAnswer, type AnswerShape } from "./whole-answer.ts";

export interface AssembleOptions extends Omit<AnswerPassOptions, "format" | "collect" | "includeUsage"> {
  readonly shape: AnswerShape;
  /** Of the whole answer; a longer one fails. */
  readonly maxCharacters: number;
}

export interface AssembledAnswer {
  readonly end: StreamEnd;
  readonly totals: AnswerTotals;
  /** JSON for the client; `null` where `end` is a failure or the client is gone. */
  readonly body: string | null;
  /** The gathered answer, for the cache. */
  readonly collected: AnswerCollector;
}

/** The client sees nothing before the last token, so this only affects how soon a failure is noticed. */
const assembledGatherMs = 200;

export async function assembleAnswer(
  source: ReadableStream<Uint8Array> | null,
  options: AssembleOptions,
  relay: Omit<RelayOptions, "keepAliveMs" | "gatherMs" | "onEnd">,
): Promise<AssembledAnswer> {
  const collected = new AnswerCollector(options.maxCharacters, true);
  const pass = new AnswerPass({ ...options, format: "none", includeUsage: false, collect: collected });
  const ended = Promise.withResolvers<StreamEnd>();
  const silent = relayStream(source, pass, {
    ...relay,
    gatherMs: assembledGatherMs,
    keepAliveMs: Number.POSITIVE_INFINITY,
    onEnd: ended.resolve,
  });
  // Nothing is written to it, so the first read is answered by its end, or by the abort that `ended` tells of, too.
  await silent
    .getReader()
    .read()
    .catch(() => undefined);
  const end = await ended.promise;
  const totals = pass.totals();
  const good = end === "done" || end === "budget-spent" || end === "blocked";
  const body = good
    ? writeWholeAnswer(
        {
          id: options.id,
          model: options.model,
          createdSeconds: pass.createdSeconds,
          choices: collected.choices,
          usage: totals.usage,
          price: options.price,
        },
        options.shape,
      )
    : null;
  return { end, totals, body, collected };
}
