/**
 * Everything that the stages of a turn read of a request, whichever endpoint it came through. Each endpoint makes one (asked-chat.ts,
 * asked-completion.ts), so the stages know no endpoint.
 */
import type { CacheableRequest } from "../cache/cache-policy.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { ComposedPrompt, ComposeTerms } from "../prompt/compose.ts";
import type { Question } from "../routing/models/difficulty.ts";
import type { Capability } from "../routing/fleet/fleet-config.ts";
import type { AnswerFormat } from "../stream/answer-encoder.ts";
import type { AnswerShape } from "../stream/whole-answer.ts";

export interface Asked {
  /** As the client wrote it: an alias or a model id. */
  readonly model: string;
  /** What the model must be able to do. */
  readonly capabilities: readonly Capability[];
  readonly stream: boolean;
  /** In which form a stream goes out. */
  readonly format: AnswerFormat;
  /** In which form a whole answer goes out. */
  readonly shape: AnswerShape;
  readonly includeUsage: boolean;
  /** A format or a grammar was asked for: the client will parse the answer. */
  readonly contentIsJson: boolean;
  /** One of the tools must be called, by name. */
  readonly namesTool: boolean;
  /** How many answers. */
  readonly choices: number;
  /** Tokens of each answer; `null`: the client left it open. */
  readonly maxTokens: number | null;
  /** The checked request for the exact cache; `null`: this endpoint has none. */
  readonly cacheable: (CacheableRequest & Readonly<Record<string, unknown>>) | null;
  /** Tokens of the prompt, before calibration. */
  estimatePromptTokens(): number;
  /** For an alias that chooses by difficulty. */
  question(): Question;
  compose(terms: ComposeTerms): Result<ComposedPrompt, Refusal>;
}
