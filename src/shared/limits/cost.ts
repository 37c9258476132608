/**
 * What do tokens cost? In whole microdollars, rounded up: sums of whole numbers are exact, and a limit is never passed by
 * rounding. Pure.
 */

import type { Usage } from "../contracts/usage.ts";

/** US dollars for a million tokens, which is microdollars for one. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
  /** Of the prompt's tokens those that the engine had in its prefix cache. Absent: as `input`. */
  readonly cached_input?: number | undefined;
}

export const freeOfCharge: TokenPrice = { input: 0, output: 0 };

/** Binary noise of a price such as 0.1, which must not cost a microdollar. */
const noise = 1e-6;

/** @param cachedTokens of the prompt's; none where nobody knows yet, which is the dearest that it may come to */
export function microdollarsFor(
  price: TokenPrice,
  promptTokens: number,
  answerTokens: number,
  cachedTokens = 0,
): number {
  const cached = Math.min(promptTokens, cachedTokens);
  const prompt = (promptTokens - cached) * price.input + cached * (price.cached_input ?? price.input);
  return Math.max(0, Math.ceil(prompt + answerTokens * price.output - noise));
}

/** The same of what was counted. */
export function costOfUsage(
  price: TokenPrice,
  {
    promptTokens,
    completionTokens,
    cachedTokens,
  }: Pick<Usage, "promptTokens" | "completionTokens" | "cachedTokens">,
): number {
  return microdollarsFor(price, promptTokens, completionTokens, cachedTokens);
}

/** At most these tokens of answer cost `microdollars`, beside the prompt. `Infinity`: an answer costs nothing. */
export function answerTokensFor(price: TokenPrice, promptTokens: number, microdollars: number): number {
  const left = microdollars - promptTokens * price.input;
  if (left < 0) return 0;
  return price.output === 0 ? Infinity : Math.floor(left / price.output + noise);
}

/** No dearer one is among them, for any prompt and answer. */
export function dearest(prices: Iterable<TokenPrice>): TokenPrice {
  let input = 0;
  let output = 0;
  for (const price of prices) {
    input = Math.max(input, price.input);
    output = Math.max(output, price.output);
  }
  return { input, output };
}
