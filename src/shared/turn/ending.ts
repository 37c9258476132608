/** What follows from how an answer ended? The same for a direct turn and a durable one. Pure. */
import type { Usage } from "../contracts/usage.ts";
import type { OriginOutcome } from "../routing/ports.ts";
import type { AnswerTotals } from "../stream/answer-pass.ts";
import type { StreamEnd } from "../stream/stream-failure.ts";

/** An engine under load may take its time for the first token; one that fell silent between two is dead. */
export const engineTimes = { firstTokenTimeoutMs: 120_000, gapTimeoutMs: 30_000 } as const;

/**
 * What a turn is charged: what was delivered, with its prompt. A turn that ended before its first token delivered nothing
 * and is charged nothing, though the engine may have read the prompt. Buckets, log and metrics all say this.
 */
export function chargedUsage({ usage }: AnswerTotals): Usage {
  return usage.completionTokens === 0 ? nothing : usage;
}

export function billedTokens(totals: AnswerTotals): number {
  const { promptTokens, completionTokens } = chargedUsage(totals);
  return promptTokens + completionTokens;
}

const nothing: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

/** What the router is told of the replica: whatever we ended ourselves is no fault of its. */
export function originOutcome(end: StreamEnd): OriginOutcome {
  switch (end) {
    case "done":
      return "done";
    case "origin-error":
    case "stalled":
      return end;
    case "budget-spent":
    case "blocked":
    case "client-gone":
    case "deadline":
      return "client-gone";
  }
}
