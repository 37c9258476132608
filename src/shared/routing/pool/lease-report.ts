/**
 * What does an isolate report to a cluster's pool? Everything that it has open there now, and how requests ended since the last report.
 */
import type { HeldLease, InFlight, Occupancy } from "../in-flight.ts";
import type { ReplicaState } from "../router-state.ts";
import { clientRegion } from "./client-region.ts";
import { poolVersion, type LeaseReport, type OpenLease, type ReplicaOutcomes } from "./pool-protocol.ts";

export interface ReportInput {
  readonly source: string;
  readonly sequence: number;
  readonly reason: LeaseReport["reason"];
  readonly replicas: readonly ReplicaState[];
  readonly inFlight: InFlight;
  readonly asking: ReadonlySet<number>;
  readonly nowMs: number;
}

export interface BuiltReport {
  readonly report: LeaseReport;
  /** The leases in it, to be marked once it was taken in. */
  readonly told: readonly HeldLease[];
}

export function buildReport(input: ReportInput): BuiltReport {
  const { source, sequence, reason, replicas, inFlight, asking, nowMs } = input;
  const ids = new Map<Occupancy, string>(replicas.map(({ known, id }) => [known.occupancy, id]));
  const open: OpenLease[] = [];
  const told: HeldLease[] = [];
  inFlight.expire(nowMs);
  for (const held of inFlight.held()) {
    const id = ids.get(held.occupancy);
    if (id === undefined) continue;
    open.push([held.number, id, held.tokens, Math.max(0, nowMs - held.takenAtMs)]);
    told.push(held);
  }
  const { issued } = inFlight;
  const outcomes = replicas.flatMap((replica) => outcomesOf(replica) ?? []);
  return {
    report: { v: poolVersion, source, sequence, issued, open, asking: [...asking], outcomes, reason },
    told,
  };
}

function outcomesOf({ id, known }: ReplicaState): ReplicaOutcomes | null {
  const { successes, failures } = known.breaker.takeOutcomes();
  const region = known.firstByteFrom === null ? null : clientRegion(known.firstByteFrom);
  known.firstByteFrom = null;
  if (successes === 0 && region === null && Object.keys(failures).length === 0) return null;
  return {
    replica: id,
    successes,
    failures,
    firstByte: region === null ? null : { region, ms: known.firstByteMs },
  };
}
