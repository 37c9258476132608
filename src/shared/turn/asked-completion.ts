/**
 * A plain completion (`POST /v1/completions`) as the stages of a turn read it. The client frames the prompt itself, but control tokens in
 * it stay text: only our templates may send control tokens to the model.
 */
import { err, ok, type Result } from "../contracts/result.ts";
import type { Refusal } from "../contracts/refusal.ts";
import type { ComposedPrompt, ComposeTerms } from "../prompt/compose.ts";
import { neutraliseText, tokenFamilyOf } from "../prompt/control-tokens.ts";
import { estimateTokens } from "../prompt/token-estimate.ts";
import { affinityKeys } from "../routing/choice/affinity.ts";
import type { Capability } from "../routing/fleet/fleet-config.ts";
import {
  answersOf,
  buildEngineCompletionBody,
  defaultCompletionTokens,
  type CompletionRequest,
} from "../wire/completions-request.ts";
import type { Asked } from "./asked.ts";

const needs: readonly Capability[] = ["completions"];

export function askedCompletion(request: CompletionRequest): Asked {
  const prompts = typeof request.prompt === "string" ? [request.prompt] : request.prompt;
  const estimated = () => prompts.reduce((sum, prompt) => sum + estimateTokens(prompt) + 1, 0);
  return {
    model: request.model,
    capabilities: needs,
    stream: request.stream === true,
    format: "openai-completion",
    shape: "completion",
    includeUsage: request.stream_options?.include_usage === true,
    namesTool: false,
    contentIsJson: false,
    choices: answersOf(request),
    maxTokens: request.max_tokens ?? defaultCompletionTokens,
    cacheable: null,
    estimatePromptTokens: estimated,
    question: () => ({ text: prompts.join("\n"), earlierMessages: 0, hasMedia: false }),
    compose: (terms) => compose(request, prompts, estimated(), terms),
  };
}

function compose(
  request: CompletionRequest,
  prompts: readonly string[],
  estimatedTokens: number,
  { model, estimateRatio, stream, cacheSalt, affinitySeed }: ComposeTerms,
): Result<ComposedPrompt, Refusal> {
  const maxTokens = Math.min(
    request.max_tokens ?? defaultCompletionTokens,
    model.max_output_tokens ?? model.context_window,
  );
  const promptTokens = Math.ceil(estimatedTokens * estimateRatio);
  const longest = Math.max(...prompts.map((prompt) => estimateTokens(prompt)));
  // An estimate may be a tenth too high, and its calibration adds to that: a prompt that is over the window by no more than this is
  // left to the engine's own count.
  if (longest * Math.min(1, estimateRatio) * 0.9 + maxTokens > model.context_window)
    return err({
      kind: "context-too-long",
      windowTokens: model.context_window,
      promptTokens: Math.ceil(longest * estimateRatio),
      answerTokens: maxTokens,
    });
  const family = tokenFamilyOf(model);
  const safe = prompts.map((prompt) => neutraliseText(prompt, family));
  const features = model.engine_features;
  const body = buildEngineCompletionBody(
    { ...request, prompt: typeof request.prompt === "string" ? (safe[0] ?? "") : safe },
    {
      servedName: model.served_name,
      stream,
      streamUsage: features.stream_usage,
      continuousUsage: features.continuous_usage,
      cacheSalt: features.cache_salt ? cacheSalt : null,
      maxTokens,
    },
  );
  return ok({
    path: "/v1/completions",
    body,
    promptTokens,
    estimatedTokens,
    maxTokens,
    lengthIsOurs: false,
    affinity:
      affinitySeed === null ? null : affinityKeys([{ role: "user", content: safe[0] ?? "" }], affinitySeed),
  });
}
