/** What follows from how an answer ended? The same for a direct turn and a durable one. Pure. */
import type { Usage } from "../contracts/usage.ts";
import { costOfUsage, type TokenPrice } from "../limits/cost.ts";
import type { TurnUse } from "../limits/ports.ts";
import type { OriginOutcome } from "../routing/ports.ts";
import type { AnswerTotals } from "../stream/answer-options.ts";
import type { StreamEnd } from "../stream/stream-failure.ts";
import type { LiveTurn } from "./open-turn.ts";
import type { TurnDeps } from "./ports.ts";

/** An engine under load may be slow to its first token; one that falls silent between two tokens is dead. */
export const engineTimes = { firstTokenTimeoutMs: 120_000, gapTimeoutMs: 30_000 } as const;

/**
 * What a turn is charged: what was delivered, with its prompt. A turn that ended before its first token delivered nothing
 * and is charged nothing, though the engine may have read the prompt. Buckets, log and metrics all say this.
 */
export function chargedUsage({ usage }: Pick<AnswerTotals, "usage">): Usage {
  return usage.completionTokens === 0 ? nothing : usage;
}

/** The same in the form that buckets take. */
export function turnUse(totals: Pick<AnswerTotals, "usage">, price: TokenPrice, model: string): TurnUse {
  const usage = chargedUsage(totals);
  return {
    tokens: usage.promptTokens + usage.completionTokens,
    requests: 1,
    microdollars: costOfUsage(price, usage),
    model,
  };
}

/** What a turn's end teaches: how far the prompt's estimate missed, and how long answers get. */
export function learn(
  turn: Pick<LiveTurn, "principal" | "candidate" | "prompt" | "asked">,
  deps: Pick<TurnDeps, "calibration" | "answerLengths">,
  end: StreamEnd,
  { usage, basis }: AnswerTotals,
): void {
  const { principal, candidate, prompt, asked } = turn;
  if (basis === "exact" && usage.promptTokens > 0)
    deps.calibration.observe(principal.tenant, candidate.model, prompt.estimatedTokens, usage.promptTokens);
  // An answer that was cut short does not show how long it would have been.
  if (end === "done")
    deps.answerLengths.observe(principal.tenant, candidate.model, usage.completionTokens / asked.choices);
}

const nothing: Usage = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

/** What the router learns of the replica: an end that we caused is not its fault. */
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
