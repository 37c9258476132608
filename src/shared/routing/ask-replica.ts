/**
 * One request to one replica: its outcome, and what that says about the replica. It takes the lease, informs the breaker, and
 * returns an answer whose end is reported exactly once.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { attempt, type AttemptResult, type OpenAnswer } from "./attempt.ts";
import type { Lease } from "./in-flight.ts";
import type { OriginAnswer, OriginOutcome, OriginRequest } from "./ports.ts";
import type { OriginRouterDeps } from "./router-deps.ts";
import type { ReplicaState } from "./router-state.ts";
import type { ZoneHealth } from "./choice/zone-health.ts";

export type Failed = Exclude<AttemptResult, OpenAnswer>;

/** How long a busy replica (429) is left alone: as it asks, within these bounds. */
const minBusyMs = 100;
const maxBusyMs = 10_000;

export interface Asking {
  readonly request: OriginRequest;
  readonly signal: LeaveSignal;
  readonly timeoutMs: number;
  /** Attempts of the request with this one, for the answer. */
  readonly attempts: number;
  /** The number of the lease that its pool granted; undefined: none was requested. */
  readonly leaseNumber?: number | undefined;
  /** Called once when an answer has ended. */
  readonly onEnd: (outcome: OriginOutcome) => void;
  /** Called when its slot is free and its end is not reported yet. */
  readonly onArrival: () => void;
}

export async function askReplica(
  replica: ReplicaState,
  asking: Asking,
  deps: OriginRouterDeps,
): Promise<Failed | OriginAnswer> {
  const { now, state, transport } = deps;
  const { request, signal, timeoutMs } = asking;
  const { breaker, occupancy } = replica.known;
  const nowMs = now();
  breaker.begin(nowMs);
  state.zones.begins(replica, nowMs);
  const lease = state.inFlight.take(occupancy, request.tokens, nowMs, asking.leaseNumber);
  const result = await attempt({ target: replica.target, request, signal, timeoutMs, nowMs }, transport);
  if (result.kind === "open") {
    state.firstByteTimes.observe(request.model, request.stream, now() - nowMs);
    return answerOf(replica, result, lease, asking, deps);
  }
  lease.release();
  if (result.kind === "lacking") state.lacking.note(replica, request, now());
  learn(replica, result, state.zones, now());
  return result;
}

function answerOf(
  replica: ReplicaState,
  open: OpenAnswer,
  lease: Lease,
  { request, signal, attempts, onEnd, onArrival }: Asking,
  { now, state }: OriginRouterDeps,
): OriginAnswer {
  const { known } = replica;
  const firstByteMs = lease.began(now(), Math.max(0, request.tokens - request.promptTokens));
  known.breaker.firstByte(now());
  state.zones.succeeded(replica);
  known.goodAtMs = now();
  if (known.firstByteFrom === null || firstByteMs < known.firstByteMs) {
    known.firstByteFrom = request.place;
    known.firstByteMs = firstByteMs;
  }
  let ended = false;
  const report = (outcome: OriginOutcome): void => {
    if (ended) return;
    ended = true;
    lease.release();
    open.close(outcome !== "done");
    scoreOutcome(replica, outcome, state.zones, now());
    onEnd(outcome);
  };
  // Only its reader can tell whether it is a valid answer.
  const letGo = (): void => {
    lease.release();
    open.close(false);
  };
  const arrived = (): void => {
    letGo();
    if (!ended) onArrival();
  };
  open.onClientGone(() => report("client-gone"));
  if (signal.aborted) report("client-gone");
  if (open.rest === null) letGo();
  return {
    status: open.status,
    contentType: open.contentType,
    text: open.text,
    firstChunk: open.firstChunk,
    body: open.rest,
    cluster: replica.cluster,
    replica: replica.id,
    attempts,
    arrived,
    report,
    amend: amendment(replica, state.zones, now),
  };
}

/** A function of its own, so that the closure that is kept does not hold the answer's text. */
function amendment(replica: ReplicaState, zones: ZoneHealth, now: () => number) {
  let isTold = false;
  return (outcome: OriginOutcome): void => {
    if (isTold || outcome === "done" || outcome === "client-gone") return;
    isTold = true;
    scoreOutcome(replica, outcome, zones, now());
  };
}

function learn(replica: ReplicaState, result: Failed, zones: ZoneHealth, nowMs: number): void {
  const { breaker } = replica.known;
  switch (result.kind) {
    case "failed":
      breaker.failure(result.reason, nowMs);
      // A wrong answer is the replica's own; silence and refusal may be the zone's.
      if (result.reason !== "bad-answer") zones.failed(replica, nowMs);
      return;
    case "busy":
      breaker.busy(clamp(result.retryAfterMs ?? minBusyMs, minBusyMs, maxBusyMs), nowMs);
      return;
    case "gone":
    case "lacking":
      breaker.undecided();
      return;
    case "rejected":
    case "context-too-long":
      replica.known.goodAtMs = nowMs;
      breaker.success(nowMs);
  }
}

function scoreOutcome(replica: ReplicaState, outcome: OriginOutcome, zones: ZoneHealth, nowMs: number): void {
  const { breaker } = replica.known;
  switch (outcome) {
    case "done":
      breaker.success(nowMs);
      return;
    case "origin-error":
      breaker.failure("broken", nowMs);
      zones.failed(replica, nowMs);
      return;
    case "stalled":
      breaker.failure("stalled", nowMs);
      zones.failed(replica, nowMs);
      return;
    case "client-gone":
      breaker.undecided();
  }
}

/** Did this replica fail for a reason of its own, so that another one may answer? */
export function isForAnother({ kind }: Failed): boolean {
  return kind === "failed" || kind === "busy" || kind === "lacking";
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
