/** The log record of a durable turn's run that has ended. */
import type { AnswerTotals } from "../../stream/answer-options.ts";
import type { StreamEnd } from "../../stream/stream-failure.ts";
import type { RequestRecord, Stage } from "../../telemetry/request-record.ts";
import { engineFields, type EngineStory } from "../answering-engine.ts";
import { chargedUsage } from "../ending.ts";
import type { LiveTurn } from "../open-turn.ts";
import { routeFields } from "../route-told.ts";
import { endingOf } from "./chat-turn-end.ts";

export function runRecord(
  turn: LiveTurn,
  end: StreamEnd,
  told: {
    readonly totals: AnswerTotals;
    readonly engine: EngineStory;
    readonly guarded: string | null;
    readonly grounded?: string | undefined;
  },
  stages: Readonly<Partial<Record<Stage, number>>>,
  nowMs: number,
): RequestRecord {
  const { principal, candidate } = turn;
  const { totals, engine, guarded, grounded } = told;
  return {
    endpoint: "generation",
    method: "POST",
    requestId: turn.requestId,
    traceId: turn.traceparent.slice(3, 35),
    status: 200,
    ending: endingOf(end),
    startedMs: turn.createdMs,
    durationMs: nowMs - turn.createdMs,
    ...(totals.firstTokenAtMs === undefined ? {} : { firstTokenMs: totals.firstTokenAtMs - turn.createdMs }),
    tenant: principal.tenant,
    org: principal.org,
    tier: principal.tier,
    model: candidate.model,
    ...routeFields(turn, candidate.model),
    ...engineFields(engine),
    ...chargedUsage(totals),
    usageBasis: totals.basis,
    ...(guarded === null ? {} : { guarded }),
    ...(grounded === undefined ? {} : { grounded }),
    ...(totals.failureDetail === undefined ? {} : { errorDetail: totals.failureDetail }),
    stages,
  };
}
