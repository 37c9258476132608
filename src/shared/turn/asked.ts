/**
 * What was asked, whichever endpoint it came through: all that the stages of a turn read of a request. One maker an
 * endpoint (asked-chat.ts, asked-completion.ts), so that the stages know neither.
 */
import type { CacheableRequest } from "../cache/cache-policy.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { Result } from "../contracts/result.ts";
import type { ChatMessage } from "../prompt/chat-message.ts";
import type { ComposedPrompt } from "../prompt/compose.ts";
import type { Question } from "../routing/difficulty.ts";
import type { Capability, ModelRecord } from "../routing/fleet-config.ts";
import type { AnswerFormat } from "../stream/answer-encoder.ts";
import type { FoundPassage } from "../retrieval/passage.ts";
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
  /** A format or a grammar was asked for, so that whoever reads the answer parses it. */
  readonly contentIsJson: boolean;
  /** How many answers. */
  readonly choices: number;
  /** Tokens of each answer; `null`: the client left it open. */
  readonly maxTokens: number | null;
  /** The checked request for the exact cache; `null`: this endpoint has none. */
  readonly cacheable: (CacheableRequest & Readonly<Record<string, unknown>>) | null;
  /** Tokens of the prompt, before calibration. */
  estimatePromptTokens(): number;
  /** For an alias that goes by how difficult a request is. */
  question(): Question;
  compose(input: ComposeInputs): Result<ComposedPrompt, Refusal>;
}

/** What the turn adds to the request. */
export interface ComposeInputs {
  /** Earlier messages of the conversation, oldest first. */
  readonly history: readonly ChatMessage[];
  readonly defaultSystemPrompt: string | null;
  readonly model: ModelRecord;
  readonly estimateRatio: number;
  readonly stream: boolean;
  readonly cacheSalt: string | null;
  /** Salts the keys by which the prompt's beginning is recognised; null: there is but one replica, so none are made. */
  readonly affinitySeed: number | null;
  /** Results of tools are framed as data, with marks by this secret (safety/spotlight.ts); absent or null: they stand as they are. */
  readonly spotlightSecret?: string | null;
  /** The engine is told no length of the answer where the client named none. */
  readonly openEnd?: boolean;
  /** What was found in files for this turn; absent or `null`: it is not grounded. */
  readonly passages?: readonly FoundPassage[] | null;
}
