/**
 * A copy of a request to a shadow's model: one attempt at a replica with room to spare, or none. It changes no routing state (breakers,
 * retry budget, polls), waits in no queue, and takes no slot that a real request could soon need.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { attempt, type OpenAnswer } from "./attempt.ts";
import { goneFailure } from "./gone.ts";
import type { Lease } from "./in-flight.ts";
import type { OriginAnswer, OriginFailure, OriginOutcome, OriginRequest } from "./ports.ts";
import type { OriginRouterDeps } from "./router-deps.ts";
import type { ReplicaState } from "./router-state.ts";
import { hasSpareRoom } from "./spare-room.ts";

/** Above this share of its slots a replica has no room for copies. */
const mostLoad = 0.5;

export async function dispatchShadow(
  deps: OriginRouterDeps,
  request: OriginRequest,
  signal: LeaveSignal,
): Promise<Result<OriginAnswer, OriginFailure>> {
  const { fleet, now, random, state, transport } = deps;
  const nowMs = now();
  const known = state.clusters(fleet);
  const roomy = request.clusters
    .flatMap((id) => known.get(id)?.replicas ?? [])
    .filter((replica) => hasSpareRoom(replica, mostLoad, nowMs));
  const replica = roomy[Math.floor(random() * roomy.length)];
  if (replica === undefined) return err({ kind: "overloaded", retryAfterMs: 1000 });
  // Others must see its load.
  const lease = state.inFlight.take(replica.known.occupancy, request.tokens, nowMs);
  const result = await attempt(
    { target: replica.target, request, signal, timeoutMs: request.deadlineMs, nowMs },
    transport,
  );
  if (result.kind === "open") return ok(answerOf(replica, result, lease, now));
  lease.release();
  switch (result.kind) {
    case "gone":
      return err(goneFailure(signal));
    case "busy":
      return err({ kind: "overloaded", retryAfterMs: 1000 });
    case "rejected":
      return err({ kind: "origin-rejected", status: result.status, detail: result.detail });
    case "context-too-long":
      return err(result);
    case "lacking":
      return err({ kind: "origin-unavailable", retryAfterMs: 1000, detail: result.detail });
    case "failed":
      return err({
        kind: "origin-unavailable",
        retryAfterMs: 1000,
        detail: `${result.reason}: ${result.detail}`,
      });
  }
}

function answerOf(replica: ReplicaState, open: OpenAnswer, lease: Lease, now: () => number): OriginAnswer {
  lease.began(now());
  const report = (outcome: OriginOutcome): void => {
    lease.release();
    open.close(outcome !== "done");
  };
  const arrived = (): void => lease.release();
  if (open.rest === null) arrived();
  return {
    status: open.status,
    contentType: open.contentType,
    text: open.text,
    firstChunk: open.firstChunk,
    body: open.rest,
    cluster: replica.cluster,
    replica: replica.id,
    attempts: 1,
    arrived,
    report,
  };
}
