/** Can any replica answer? For `/health/ready`: from what is known, else by asking a few replicas once. */
import type { Transport } from "./attempt.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import { isWanted } from "./pool/pooled-view.ts";
import { pollReplica } from "./poller.ts";
import type { ReplicaState, RouterState } from "./router-state.ts";

/** A replica seen well within this time needs no live probe. */
const freshMs = 15_000;
/** Half of a Worker's six connections. */
const probesAtOnce = 3;
/** If those fail quickly, others are asked until this has passed. */
const furtherWithinMs = 500;

interface ProbeDeps {
  readonly state: RouterState;
  readonly fleet: FleetIndex;
  readonly transport: Transport;
  readonly now: () => number;
}

/** True where some replica of some model behind the name is well. Three are asked at a time, for at most a second. */
export async function probe(name: string, { state, fleet, transport, now }: ProbeDeps): Promise<boolean> {
  const clusters = state.clusters(fleet);
  const ids = (fleet.names.get(name) ?? []).flatMap((candidate) =>
    candidate.variants.flatMap((variant) => variant.clusters),
  );
  const nowMs = now();
  const fresh = ({ known }: ReplicaState): boolean =>
    known.breaker.admits(nowMs) && nowMs - known.goodAtMs < freshMs;
  const byCluster = [...new Set(ids)].map((id) => (clusters.get(id)?.replicas ?? []).filter(isAskedAtAll));
  if (byCluster.some((replicas) => replicas.some(fresh))) return true;
  const likeliest = inTurn(byCluster.map((replicas) => likeliestFirst(replicas, nowMs)));
  const ask = async (replica: ReplicaState): Promise<void> => {
    if (!(await pollReplica(replica, transport, now))) throw new Error("not well");
  };
  for (let at = 0; at < likeliest.length && now() - nowMs < furtherWithinMs; at += probesAtOnce) {
    const anyWell = await Promise.any(likeliest.slice(at, at + probesAtOnce).map(ask)).then(
      () => true,
      () => false,
    );
    if (anyWell) return true;
  }
  return false;
}

/** Without those that an admin took out. */
function isAskedAtAll({ known: { pooled } }: ReplicaState): boolean {
  return pooled === null || isWanted(pooled);
}

/** Replicas that failed lately come last, even if their breaker admits a trial. */
function likeliestFirst(replicas: readonly ReplicaState[], nowMs: number): readonly ReplicaState[] {
  const doubt = ({ known: { breaker } }: ReplicaState): number =>
    breaker.state(nowMs) === "closed" ? breaker.score(nowMs) : Number.MAX_SAFE_INTEGER;
  return [...replicas].sort((left, right) => doubt(left) - doubt(right));
}

/** The first of each list, then the second of each: a region that is down hides no other behind it. */
function inTurn<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}
