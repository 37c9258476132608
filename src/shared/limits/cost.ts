/**
 * What do tokens cost? In whole microdollars, rounded up: sums of whole numbers are exact, and a limit is never passed by
 * rounding. Pure.
 */

/** US dollars for a million tokens, which is microdollars for one. */
export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

export const freeOfCharge: TokenPrice = { input: 0, output: 0 };

/** Binary noise of a price such as 0.1, which must not cost a microdollar. */
const noise = 1e-6;

export function microdollarsFor(price: TokenPrice, promptTokens: number, answerTokens: number): number {
  return Math.max(0, Math.ceil(promptTokens * price.input + answerTokens * price.output - noise));
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
