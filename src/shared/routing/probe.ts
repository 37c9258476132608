/** Is there anyone to answer? For `/health/ready`: from what is known, else by asking a few replicas, once. */
import type { Transport } from "./attempt.ts";
import type { FleetIndex } from "./fleet-index.ts";
import { pollReplica } from "./poller.ts";
import type { ReplicaState, RouterState } from "./router-state.ts";

/** A replica seen well within this time needs no live probe. */
const freshMs = 15_000;
/** Half of a Worker's six connections. */
const probesAtOnce = 3;

interface ProbeDeps {
  readonly state: RouterState;
  readonly fleet: FleetIndex;
  readonly transport: Transport;
  readonly now: () => number;
}

/** True where some replica of some model behind the name is well. At most three replicas are asked, for at most a second. */
export async function probe(name: string, { state, fleet, transport, now }: ProbeDeps): Promise<boolean> {
  const clusters = state.clusters(fleet);
  const ids = (fleet.names.get(name) ?? []).flatMap((candidate) =>
    candidate.variants.flatMap((variant) => variant.clusters),
  );
  const replicas = [...new Set(ids)].flatMap((id) => clusters.get(id)?.replicas ?? []);
  const nowMs = now();
  const fresh = ({ known }: ReplicaState): boolean =>
    known.breaker.admits(nowMs) && nowMs - known.goodAtMs < freshMs;
  if (replicas.some(fresh)) return true;
  const likeliest = [...replicas]
    .sort((left, right) => left.known.breaker.waitMs(nowMs) - right.known.breaker.waitMs(nowMs))
    .slice(0, probesAtOnce);
  const answers = likeliest.map(async (replica) => {
    if (!(await pollReplica(replica, transport, now))) throw new Error("not well");
  });
  return Promise.any(answers).then(
    () => true,
    () => false,
  );
}
