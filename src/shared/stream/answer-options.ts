/** What does a pass over an answer (answer-pass.ts) need to know, and what does it report at its end? */
import type { Usage, UsageBasis } from "../contracts/usage.ts";
import type { AnswerCollector } from "./answer-collector.ts";
import type { AnswerEncoder, AnswerFormat } from "./answer-encoder.ts";
import type { EngineApi, FinishReason } from "./engine-event.ts";
import type { AnswerContinuer } from "./resumption.ts";
import type { TextFilter } from "./text-filter.ts";
import type { Price } from "./wire-usage.ts";

export interface AnswerPassOptions {
  /** What the engine was asked through. */
  readonly engineApi: EngineApi;
  readonly format: AnswerFormat;
  /** In place of the format's own. */
  readonly encoder?: AnswerEncoder;
  /** Put around the format's own: for an answer that has more to say than its format. */
  readonly around?: (encoder: AnswerEncoder) => AnswerEncoder;
  /** What the client knows the answer by: `chatcmpl-…`. */
  readonly id: string;
  /** The public model id. */
  readonly model: string;
  /** Used until the engine says its own `created`. */
  readonly createdMs: number;
  /** `n` of the request. */
  readonly choices: number;
  /** The client named the tool to be called: the call then ends with `stop`. */
  readonly namesTool?: boolean;
  /** The client asked for the usage chunk. */
  readonly includeUsage: boolean;
  /** Estimate of the prompt's tokens, for engines that never say. */
  readonly promptTokens: number;
  readonly price?: Price;
  /** Asked before an event is delivered. With nothing left the answer ends with `finish_reason: "length"`. */
  readonly budget?: AnswerBudget;
  readonly filter?: TextFilter;
  /** Gathers the answer as the client sees it. */
  readonly collect?: AnswerCollector;
  /** Finds another engine when this one fails. Only with one choice. */
  readonly continuer?: AnswerContinuer;
  /** For an answer that an earlier run began: what it said, which does not change. Its engine is gone: the first source is empty. */
  readonly begun?: { readonly createdSeconds: number | null; readonly usage: Usage };
  readonly now?: () => number;
}

/** Whether the answer may grow. Implemented by src/shared/turn/token-budget.ts. */
export interface AnswerBudget {
  /** May it come to `completionTokens`? `wait`: not known before `pending` resolves. */
  ask(completionTokens: number): "go-on" | "wait" | "stop";
  readonly pending: Promise<void> | null;
  /** The engine's own count of the prompt. */
  promptCounted(tokens: number): void;
}

export interface AnswerTotals {
  readonly usage: Usage;
  readonly basis: UsageBasis;
  /** By choice; `null`: none was reached. */
  readonly finishReasons: readonly (FinishReason | null)[];
  /** Milliseconds since 1970. */
  readonly firstTokenAtMs?: number;
  /** What the engine said when it failed. For the log, never for the wire. */
  readonly failureDetail?: string;
}
