/** An engine's JSON answer, for requests that did not stream: the same rewriting as a stream's, at once. */
import type { Usage, UsageBasis } from "../contracts/usage.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { engineSays } from "../routing/engines/engine-words.ts";
import { AnswerCollector } from "./answer-collector.ts";
import type { AnswerTotals } from "./answer-options.ts";
import { finishOf } from "./calls-in-order.ts";
import {
  contentOf,
  readFinishReason,
  readToolCalls,
  type EngineApi,
  type EngineDelta,
  type FinishReason,
} from "./engine-event.ts";
import { FilteredLanes } from "./filtered-lanes.ts";
import type { TextFilter } from "./text-filter.ts";
import { writeWholeAnswer, type AnswerShape } from "./whole-answer.ts";
import { readEngineUsage, type Price } from "./wire-usage.ts";
import { isRecord } from "../wire/is-record.ts";
import { isTooDeep } from "./nesting.ts";

export interface RewriteOptions {
  readonly engineApi: EngineApi;
  readonly shape: AnswerShape;
  readonly id: string;
  readonly model: string;
  readonly createdMs: number;
  readonly promptTokens: number;
  readonly price?: Price;
  readonly filter?: TextFilter;
  /** The client named the tool to be called: the call then ends with `stop`. */
  readonly namesTool?: boolean;
}

export interface RewrittenAnswer {
  readonly body: string;
  readonly totals: AnswerTotals;
  readonly collected: AnswerCollector;
}

/** `error`: why it is no answer, for the log; the client's words are the caller's. */
export function rewriteAnswer(json: string, options: RewriteOptions): Result<RewrittenAnswer, string> {
  if (isTooDeep(json)) return err("the answer is nested too deeply");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return err("the answer is no JSON");
  }
  const choices = isRecord(value) ? value["choices"] : undefined;
  if (isRecord(value) && isRecord(value["error"])) return err(engineSays(value["error"]));
  if (!isRecord(value) || !Array.isArray(choices) || choices.length === 0)
    return err(isRecord(value) && value["object"] === "error" ? engineSays(value) : "no answer: no choices");
  const collected = new AnswerCollector(Number.POSITIVE_INFINITY, false);
  const lanes = options.filter === undefined ? null : new FilteredLanes(options.filter);
  const finishReasons: FinishReason[] = [];
  for (const [position, choice] of (choices as readonly unknown[]).entries()) {
    const delta = isRecord(choice) ? readWholeChoice(choice, position, options.engineApi) : null;
    if (delta === null) return err("a choice has no message or no finish reason");
    const finishReason = finishOf(delta.finishReason, delta.toolCalls !== undefined, options.namesTool);
    finishReasons.push(gather({ ...delta, finishReason }, lanes, collected));
  }
  const { usage, basis } = usageOf(value["usage"], collected, options.promptTokens);
  const created = value["created"];
  const body = writeWholeAnswer(
    {
      id: options.id,
      model: options.model,
      createdSeconds: typeof created === "number" ? created : Math.floor(options.createdMs / 1000),
      choices: collected.choices,
      usage,
      price: options.price,
    },
    options.shape,
  );
  return ok({ body, totals: { usage, basis, finishReasons }, collected });
}

type FinishedDelta = EngineDelta & { readonly finishReason: FinishReason };
type Writable<T> = { -readonly [Member in keyof T]: T[Member] };

function readWholeChoice(
  choice: Readonly<Record<string, unknown>>,
  position: number,
  api: EngineApi,
): FinishedDelta | null {
  const message = api === "chat" ? choice["message"] : choice;
  const finishReason = readFinishReason(choice["finish_reason"]);
  if (!isRecord(message) || finishReason === null) return null;
  const { content, thinking } = contentOf(api === "chat" ? message["content"] : message["text"]);
  const reasoning = message["reasoning"] ?? message["reasoning_content"] ?? thinking;
  const refusal = message["refusal"];
  // Whole, each call is where it stands.
  const toolCalls = readToolCalls(message["tool_calls"]).map((call, index) => ({ ...call, index }));
  const logprobs = choice["logprobs"];
  const delta: Writable<FinishedDelta> = { index: position, finishReason };
  if (typeof content === "string") delta.content = content;
  if (typeof reasoning === "string" && reasoning !== "") delta.reasoning = reasoning;
  if (typeof refusal === "string") delta.refusal = refusal;
  if (toolCalls.length > 0) delta.toolCalls = toolCalls;
  if (isRecord(logprobs)) delta.logprobs = logprobs;
  return delta;
}

function gather(delta: FinishedDelta, lanes: FilteredLanes | null, collected: AnswerCollector): FinishReason {
  let reason = delta.finishReason;
  const passed = lanes === null ? delta : lanes.pass(delta);
  const held = lanes === null || passed === null ? [] : lanes.flush(delta.index);
  if (passed === null || held === null) reason = "content_filter";
  else for (const part of [passed, ...held]) collected.delta(part);
  collected.finish(delta.index, reason);
  return reason;
}

/** A token is some four characters; only for engines that say nothing. */
const charactersPerToken = 4;

function usageOf(
  value: unknown,
  collected: AnswerCollector,
  promptTokens: number,
): { readonly usage: Usage; readonly basis: UsageBasis } {
  const known = readEngineUsage(value);
  if (known !== null)
    return {
      usage: {
        promptTokens: known.promptTokens,
        completionTokens: known.completionTokens,
        cachedTokens: known.cachedTokens,
        reasoningTokens: known.reasoningTokens ?? 0,
      },
      basis: "exact",
    };
  const length = (text: string | null): number => text?.length ?? 0;
  const characters = collected.choices.reduce(
    (sum, choice) => sum + length(choice.content) + length(choice.reasoning),
    0,
  );
  return {
    usage: {
      promptTokens,
      completionTokens: Math.ceil(characters / charactersPerToken),
      cachedTokens: 0,
      reasoningTokens: 0,
    },
    basis: "estimated",
  };
}
