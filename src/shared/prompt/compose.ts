import { err, ok, type Result } from "../contracts/result.ts";
import { affinityKeys, type AffinityKeys } from "../routing/choice/affinity.ts";
import type { ModelRecord } from "../routing/fleet/fleet-config.ts";
import type { OriginPath } from "../routing/ports.ts";
import type { ChatRequest } from "../wire/chat-request.ts";
import { engineChatBody } from "../wire/engine-chat-body.ts";
import type { OrphanedResult } from "./answered-calls.ts";
import type { ChatMessage } from "./chat-message.ts";
import { neutraliseValue, type TokenFamily, tokenFamilyOf } from "./control-tokens.ts";
import { llama31StopTokenIds, llama31StopTokens, renderLlama31 } from "./llama-3-1-template.ts";
import { needsEngineParser } from "./needs-engine-parser.ts";
import type { FoundPassage } from "../retrieval/passage.ts";
import type { Spotlight } from "../safety/spotlight.ts";
import { passagesText, withPassages } from "./passages.ts";
import { type PreparedMessages, prepareMessages } from "./prepare-messages.ts";
import {
  estimateDefinitionTokens,
  estimateMessageTokens,
  llama31Overhead,
  type TemplateOverhead,
  usualOverhead,
} from "./token-estimate.ts";
import { latestTurn, trimToWindow, type WindowRefusal } from "./window.ts";

/**
 * What exactly does the engine get for this request? Instructions, history, window, template, lengths, in this order:
 * `default system prompt ▸ control tokens ▸ passages ▸ trim ▸ render or pass ▸ body`.
 */

/** Bump with every change of what the engine gets for the same request: part of the answer cache's key. */
export const composeVersion = "4";

/** What a turn adds to its request. */
export interface ComposeTerms {
  /** Earlier messages of a stored conversation, oldest first. Trimmed if they don't fit; unanswered calls are left out. */
  readonly history: readonly ChatMessage[];
  /** The tenant's, used where the request has no instructions. What a history may begin with is a summary, and no instruction. */
  readonly defaultSystemPrompt: string | null;
  readonly model: ModelRecord;
  /** What to multiply estimates with: token-calibration.ts. */
  readonly estimateRatio: number;
  /** Whether the engine is asked to stream (usage is then asked for with every chunk it can give it on). */
  readonly stream: boolean;
  /** HMAC of the tenant, so that prefix-cache timing tells one tenant nothing of another; null: none. */
  readonly cacheSalt: string | null;
  /** Salts the keys by which the prompt's beginning is recognised; null: there is but one replica, so none are made. */
  readonly affinitySeed: number | null;
  /** How results of tools, and passages, are framed as data; `null`: they stand as they are. */
  readonly spotlight: Spotlight | null;
  /** Where the request names no length of the answer, the engine is told none either: it has what the window leaves. */
  readonly openEnd?: boolean;
  /** Passages found for this turn, best first: as many as fit are used (passages.ts). `null`: the turn is not grounded. */
  readonly passages: readonly FoundPassage[] | null;
}

export interface ComposeInput extends ComposeTerms {
  readonly request: ChatRequest;
}

export interface ComposedPrompt {
  readonly path: Extract<OriginPath, "/v1/chat/completions" | "/v1/completions">;
  /** JSON. */
  readonly body: string;
  /** Estimated tokens of the prompt, calibrated: for the reservation. */
  readonly promptTokens: number;
  /** The same before calibration: what TokenCalibration.observe wants back together with the engine's count. */
  readonly estimatedTokens: number;
  /**
   * The most tokens of answer, for each of the `n` choices: what the engine was told, or, where it was told nothing, what the
   * window may leave at most.
   */
  readonly maxTokens: number;
  /** The engine was given a length that the client did not set: if the estimate was too low, it may not fit. */
  readonly lengthIsOurs: boolean;
  /** How many of the passages, the best ones, are in it. Absent: none were given. */
  readonly shownPassages?: number;
  readonly affinity: AffinityKeys | null;
}

export type ComposeRefusal =
  | WindowRefusal
  | OrphanedResult
  /** The model is served by `completions` alone and the request needs the engine's parser; `param` says why. */
  | { readonly kind: "parameter-unsupported"; readonly param: string; readonly message: string };

/** What `/v1/completions` has no word for, or another meaning. */
const chatOnlyFields: ReadonlySet<string> = new Set([
  "messages",
  "chat_template_kwargs",
  "include_reasoning",
  "logprobs",
  "parallel_tool_calls",
  "reasoning_effort",
  "return_tokens_as_token_ids",
  "thinking_token_budget",
  "tool_choice",
  "tools",
  "top_logprobs",
]);

/** An estimate may be this much too high; a request that is over the window only by that is left to the engine's own count. */
const estimateTolerance = 0.9;
/** Kept free when the answer's length is ours to choose, so that an estimate that is too low doesn't overrun the window. */
const slack = 1.08;
const slackTokens = 16;
/** Trimming a history leaves the wanted room except for rounding; with less than this share of it, we do not choose a length. */
const enoughOfWanted = 0.9;

export function composePrompt(input: ComposeInput): Result<ComposedPrompt, ComposeRefusal> {
  const { request, model } = input;
  const rendered = model.api === "completions";
  const family = tokenFamilyOf(model);
  const prepared = prepareMessages(input, family);
  if (!prepared.ok) return prepared;
  if (rendered) {
    const param = needsEngineParser({ ...request, messages: prepared.value.messages });
    if (param !== null)
      return err({
        kind: "parameter-unsupported",
        param,
        message: `The model '${model.id}' answers plain text chats only.`,
      });
  }
  const overhead = model.template === "llama-3.1" ? llama31Overhead : usualOverhead;
  const grounded = input.passages === null ? null : ground(input, input.passages, prepared.value, overhead);
  const fitted = fit(input, grounded?.prepared ?? prepared.value, overhead);
  if (!fitted.ok) return fitted;
  const { messages, estimatedTokens, promptTokens, maxTokens, toldTokens } = fitted.value;

  const features = model.engine_features;
  const chatBody = engineChatBody(withSafeDefinitions(request, family), {
    servedName: model.served_name,
    stream: input.stream,
    streamUsage: features.stream_usage,
    continuousUsage: features.stream_usage && features.continuous_usage,
    cacheSalt: input.cacheSalt !== null && features.cache_salt ? input.cacheSalt : undefined,
    messages,
    maxTokens: toldTokens ?? undefined,
  });
  const body = rendered
    ? Object.fromEntries(Object.entries(chatBody).filter(([field]) => !chatOnlyFields.has(field)))
    : chatBody;
  if (rendered) {
    body["prompt"] = renderLlama31(messages, {
      date: model.template_date,
      ending: "answer",
    });
    body["add_special_tokens"] = false;
    // Without the field it would be 16 tokens there.
    if (toldTokens === null) body["max_tokens"] = null;
    body["stop"] = [...stopsOf(request), ...llama31StopTokens];
    body["stop_token_ids"] = [...(request.stop_token_ids ?? []), ...llama31StopTokenIds];
  }
  return ok({
    path: rendered ? "/v1/completions" : "/v1/chat/completions",
    body: JSON.stringify(body),
    promptTokens,
    estimatedTokens,
    maxTokens,
    lengthIsOurs: toldTokens !== null && isOpen(request),
    ...(grounded === null ? {} : { shownPassages: grounded.shown }),
    affinity: input.affinitySeed === null ? null : affinityKeys(messages, input.affinitySeed),
  });
}

function isOpen(request: ChatRequest): boolean {
  return request.max_completion_tokens === undefined && request.max_tokens === undefined;
}

/**
 * What an engine may print into the prompt beside the messages: tools, and the schema of an answer (vLLM hands `response_format`
 * to templates). The other kinds of `structured_outputs` are patterns, which a joint would change and no template sees.
 */
function withSafeDefinitions(request: ChatRequest, family: TokenFamily): ChatRequest {
  const { tools, response_format, structured_outputs } = request;
  if (tools === undefined && response_format === undefined && structured_outputs?.json === undefined)
    return request;
  return {
    ...request,
    ...(tools !== undefined && { tools: neutraliseValue(tools, family) }),
    ...(response_format !== undefined && { response_format: neutraliseValue(response_format, family) }),
    ...(structured_outputs?.json !== undefined && {
      structured_outputs: neutraliseValue(structured_outputs, family),
    }),
  };
}

/** The passages that there is room for beside what must stay: instructions, definitions, the latest turn and the answer. */
function ground(
  input: ComposeInput,
  passages: readonly FoundPassage[],
  prepared: PreparedMessages,
  overhead: TemplateOverhead,
): { readonly prepared: PreparedMessages; readonly shown: number } {
  const { request, model, estimateRatio } = input;
  const { messages, ownFrom } = prepared;
  const staying = input.history.length > 0 ? latestTurn(messages, ownFrom) : messages;
  const fixed = overhead.promptTokens + estimateDefinitionTokens(request);
  const kept = staying.reduce((sum, message) => sum + estimateMessageTokens(message, overhead), fixed);
  const { text, shown } = passagesText(passages, tokenFamilyOf(model), {
    tokens: model.context_window - wantedTokens(input) - kept * estimateRatio * slack,
    windowTokens: model.context_window,
    estimateRatio: estimateRatio * slack,
    markedBy: input.spotlight?.marksWords === true ? input.spotlight.secret : null,
  });
  const grounded = shown === 0 ? null : withPassages(messages, text);
  return grounded === null ? { prepared, shown: 0 } : { prepared: { messages: grounded, ownFrom }, shown };
}

/** Tokens that are kept for an answer: a client that names no length gets at least this much room. */
function wantedTokens({ request, model }: ComposeInput): number {
  const asked = request.max_completion_tokens ?? request.max_tokens ?? null;
  const most = model.max_output_tokens ?? model.context_window;
  return asked === null ? Math.min(most, Math.ceil(model.context_window / 8)) : Math.min(asked, most);
}

interface Fitted {
  readonly messages: readonly ChatMessage[];
  readonly estimatedTokens: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
  /** The length that the engine is given; `null`: none, it has the rest of the window. */
  readonly toldTokens: number | null;
}

function fit(
  input: ComposeInput,
  { messages, ownFrom }: PreparedMessages,
  overhead: TemplateOverhead,
): Result<Fitted, WindowRefusal> {
  const { request, model, estimateRatio } = input;
  const windowTokens = model.context_window;
  const asked = request.max_completion_tokens ?? request.max_tokens ?? null;
  const most = model.max_output_tokens ?? windowTokens;
  const wanted = wantedTokens(input);
  const fixed = overhead.promptTokens + estimateDefinitionTokens(request);
  const costOf = (message: ChatMessage) => estimateMessageTokens(message, overhead);

  let kept = messages;
  let estimated = messages.reduce((sum, message) => sum + costOf(message), fixed);
  if (input.history.length > 0 && estimated * estimateRatio * slack + wanted > windowTokens) {
    const trimmed = trimToWindow(
      messages,
      (message) => costOf(message) * estimateRatio * slack,
      { windowTokens, answerTokens: wanted, fixedTokens: fixed * estimateRatio * slack },
      ownFrom,
    );
    // What must stay is judged below, like a request without a history: with less room kept free, it may well fit.
    kept = trimmed.ok ? trimmed.value.messages : latestTurn(messages, ownFrom);
    estimated = kept.reduce((sum, message) => sum + costOf(message), fixed);
  }
  const promptTokens = Math.ceil(estimated * estimateRatio);
  const atLeast = asked === null ? 1 : wanted;
  // A ratio that was learned of other prompts may be too high for this one: what fits without it is left to the engine.
  const leastPrompt = Math.min(promptTokens, estimated) * estimateTolerance;
  if (leastPrompt + atLeast > windowTokens)
    return err({ kind: "context-too-long", windowTokens, promptTokens, answerTokens: atLeast });
  const result = { messages: kept, estimatedTokens: Math.ceil(estimated), promptTokens };
  if (asked !== null) return ok({ ...result, maxTokens: wanted, toldTokens: wanted });
  const free = Math.floor(windowTokens - promptTokens * slack - slackTokens);
  // The model's longest answer, if that fits; else the room that is certainly left, if that is enough.
  const chosen = windowTokens - promptTokens >= most ? most : free >= wanted * enoughOfWanted ? free : null;
  if (chosen !== null && input.openEnd !== true)
    return ok({ ...result, maxTokens: chosen, toldTokens: chosen });
  // Near the window's end, the room kept free for the estimate's error would be all of the answer: only the engine knows what is left.
  const left = Math.max(1, Math.ceil(windowTokens - leastPrompt));
  // A stream can be ended here where the model's longest answer is reached; of a whole one all has to be set aside.
  return ok({ ...result, maxTokens: input.stream ? Math.min(most, left) : left, toldTokens: null });
}

function stopsOf(request: ChatRequest): readonly string[] {
  const { stop } = request;
  if (stop === undefined) return [];
  return typeof stop === "string" ? [stop] : stop;
}
