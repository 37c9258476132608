import type { Refusal } from "../contracts/refusal.ts";
import type { LimitStanding } from "../limits/ports.ts";

/** The refusal of a turn that was let in but whose real prompt no longer fits into what is left. */
export function tokensExhausted(standing: LimitStanding): Refusal {
  const { limit, remaining, resetMs } = standing.tokens;
  return {
    kind: "limited",
    limit: {
      scope: "user",
      limit: "tokens_per_minute",
      unit: "tokens",
      class: "rate",
      capacity: limit,
      remaining,
      retryAfterMs: resetMs,
      resetMs,
      largestMaxTokens: 0,
    },
  };
}
