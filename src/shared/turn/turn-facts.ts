/** The facts of an ended turn, wherever it ran, for the archive and for its owner's receipt. Pure. */
import type { ArchivedTurn } from "../archive/ports.ts";
import { modelRecord, type FleetIndex } from "../routing/fleet/fleet-index.ts";
import type { AnswerTotals } from "../stream/answer-options.ts";
import type { StreamEnd } from "../stream/stream-failure.ts";
import { statusOf } from "./durable/chat-turn-end.ts";
import { chargedUsage, turnUse } from "./ending.ts";
import type { EngineStory } from "./answering-engine.ts";
import type { LiveTurn } from "./open-turn.ts";

/** An archive row's part on the turn itself; the caller adds who asked and what it belongs to. */
export type TurnFacts = Pick<
  ArchivedTurn,
  | "status"
  | "model"
  | "cluster"
  | "attempts"
  | "usage"
  | "basis"
  | "microdollars"
  | "price"
  | "screened"
  | "guarded"
  | "endedMs"
>;

/** Of a turn whose run saw its end. */
export function turnFactsOf(
  turn: Pick<LiveTurn, "candidate" | "answer">,
  fleet: FleetIndex,
  ending: {
    readonly end: StreamEnd;
    readonly totals: AnswerTotals;
    readonly guarded: string | null;
    readonly engine: Pick<EngineStory, "cluster" | "attempts">;
  },
  screened: string | null,
  endedMs: number,
): TurnFacts {
  const { answer, candidate } = turn;
  const { end, totals, guarded, engine } = ending;
  // As in the settlement: by the price of the engine that began.
  const { price } = modelRecord(fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
  return {
    status: statusOf(end),
    model: candidate.model,
    cluster: engine.cluster,
    attempts: engine.attempts,
    usage: chargedUsage(totals),
    basis: totals.basis,
    microdollars: turnUse(totals, price, candidate.model).microdollars,
    price: { version: fleet.version, ...price },
    screened,
    guarded,
    endedMs,
  };
}
