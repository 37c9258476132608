/** Token counts on the wire: what engines say, read with suspicion; what clients get, in OpenAI's fields and one of ours. */
import { isRecord } from "../wire/is-record.ts";
import { costOfUsage, type TokenPrice } from "../limits/cost.ts";
import type { Usage } from "../contracts/usage.ts";

export type Price = TokenPrice;

/** What an engine's `usage` says. `reasoningTokens` is absent where it does not split them off. */
export interface EngineUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens?: number;
}

/**
 * A larger number can't be a count of tokens: a counter fell below zero, or an engine is malicious. It would be charged to the caller;
 * and a sum that is no longer a whole number is refused by buckets, so that every report in the same batch would be lost.
 */
export const mostCountDigits = 9;
const mostCounted = 10 ** mostCountDigits - 1;

/** `null` where `value` is no usage: absent, null, or without whole numbers. */
export function readEngineUsage(value: unknown): EngineUsage | null {
  if (!isRecord(value)) return null;
  const promptTokens = count(value["prompt_tokens"]);
  const completionTokens = count(value["completion_tokens"] ?? 0);
  if (promptTokens === null || completionTokens === null) return null;
  const prompt = value["prompt_tokens_details"];
  const completion = value["completion_tokens_details"];
  const reasoningTokens = isRecord(completion) ? count(completion["reasoning_tokens"]) : null;
  return {
    promptTokens,
    completionTokens,
    cachedTokens: (isRecord(prompt) ? count(prompt["cached_tokens"]) : null) ?? 0,
    ...(reasoningTokens === null ? {} : { reasoningTokens }),
  };
}

/** OpenAI's `usage`, with `cost` (US dollars) where a price is known. */
export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
  readonly cost?: number;
}

export function toWireUsage(usage: Usage, price: Price | undefined): WireUsage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    ...(price === undefined ? {} : { cost: costOf(usage, price) }),
  };
}

/** US dollars, just as they are charged: to a millionth, rounded up (limits/cost.ts). */
export function costOf(usage: Usage, price: Price): number {
  return costOfUsage(price, usage) / 1_000_000;
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= mostCounted
    ? value
    : null;
}
