/**
 * Settles what is answered without a live turn: vectors, verdicts, counts, hits of the answer cache. What the bucket books of it is what whoever
 * keeps a ledger hears, in the same place, so that no charge is without its row.
 */
import type { Reservation } from "../limits/ports.ts";
import type { LedgeredTurn, TurnDeps } from "./ports.ts";
import type { TurnFacts } from "./turn-facts.ts";

/** What it came to. `attempts` is 0 where no engine was asked. */
export type WholeCharge = Omit<TurnFacts, "screened" | "guarded" | "endedMs" | "model" | "microdollars"> & {
  /** Who is counted for it. */
  readonly model: string;
  readonly microdollars: number;
};

export function settleWhole(
  turn: LedgeredTurn,
  reservation: Reservation,
  charge: WholeCharge,
  { ledger }: Pick<TurnDeps, "ledger">,
): void {
  const { usage, microdollars, model } = charge;
  reservation.settle({
    tokens: usage.promptTokens + usage.completionTokens,
    requests: 1,
    microdollars,
    model,
  });
  ledger?.(turn, charge);
}

/** Of a request that was answered without an engine: it counts, and costs nothing. */
export function freeCharge(model: string): WholeCharge {
  return { ...nothingAsked, model };
}

const nothingAsked: Omit<WholeCharge, "model"> = {
  status: "completed",
  cluster: null,
  attempts: 0,
  usage: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
  basis: "exact",
  microdollars: 0,
  price: null,
};
