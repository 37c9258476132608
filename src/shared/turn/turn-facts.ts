/** What is to be said of a turn that has ended, wherever it ran: to the archive, and to its owner in a receipt. Pure. */
import type { ArchivedPrice } from "../archive/ports.ts";
import type { EndStatus } from "../contracts/generation.ts";
import type { Usage, UsageBasis } from "../contracts/usage.ts";
import { modelRecord, type FleetIndex } from "../routing/fleet-index.ts";
import type { AnswerTotals } from "../stream/answer-options.ts";
import type { StreamEnd } from "../stream/stream-failure.ts";
import { statusOf } from "./durable/chat-turn-end.ts";
import { chargedUsage, turnUse } from "./ending.ts";
import type { EngineStory } from "./answering-engine.ts";
import type { LiveTurn } from "./open-turn.ts";

export interface TurnFacts {
  readonly status: EndStatus;
  /** What is `null` is not known any more: the memory of the run is gone. */
  readonly model: string | null;
  readonly cluster: string | null;
  readonly attempts: number | null;
  /** What was charged. */
  readonly usage: Usage;
  readonly basis: UsageBasis;
  readonly microdollars: number | null;
  readonly price: ArchivedPrice | null;
  /** What was found in the prompt and in the answer: `email:2 card:1`. */
  readonly screened: string | null;
  readonly guarded: string | null;
  readonly endedMs: number;
}

/** Of a turn whose run saw its end. */
export function factsOf(
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
  // As it is settled: by the price of the engine that began.
  const { price } = modelRecord(fleet, answer.cluster, candidate.model) ?? candidate.variant.record;
  return {
    status: statusOf(end),
    model: candidate.model,
    cluster: engine.cluster,
    attempts: engine.attempts,
    usage: chargedUsage(totals),
    basis: totals.basis,
    microdollars: turnUse(totals, price, candidate.model).microdollars,
    price: { version: fleet.version, input: price.input, output: price.output },
    screened,
    guarded,
    endedMs,
  };
}
