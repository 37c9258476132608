/** What earlier rounds left of a turn's reservation for its present round. There is one reservation, which grows as one. */
import type { Usage } from "../../contracts/usage.ts";
import { costOfUsage, type TokenPrice } from "../../limits/cost.ts";
import type { Reservation } from "../../limits/ports.ts";

export function behindRounds(whole: Reservation, prior: Usage, price: TokenPrice): Reservation {
  const tokens = prior.promptTokens + prior.completionTokens;
  if (tokens === 0) return whole;
  const microdollars = costOfUsage(price, prior);
  return {
    chargeId: whole.chargeId,
    standing: whole.standing,
    get tokens() {
      return Math.max(0, whole.tokens - tokens);
    },
    get microdollars() {
      return Math.max(0, whole.microdollars - microdollars);
    },
    get refusal() {
      return whole.refusal;
    },
    extend: (totalTokens, totalMicrodollars) =>
      whole.extend(totalTokens + tokens, totalMicrodollars + microdollars),
    // A durable turn is only settled by the effect of its end.
    settle: () => undefined,
  };
}
