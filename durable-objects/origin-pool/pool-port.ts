import type { PoolAction, ActionOutcome } from "../../src/shared/routing/pool/pool-action.ts";
import type { PoolPort } from "../../src/shared/routing/pool/pool-link.ts";
import type { PoolStatus } from "../../src/shared/routing/pool/pool-status.ts";
import type { OriginPoolObject } from "./origin-pool.ts";

export type PoolNamespace = DurableObjectNamespace<OriginPoolObject>;

/** What admins see of a cluster's pool, and do to its replicas. Rejects where the pool can't be asked. */
export interface PoolControl {
  status(cluster: string): Promise<PoolStatus>;
  act(cluster: string, action: PoolAction): Promise<ActionOutcome>;
}

/** A stub is made for each call: one that failed stays broken. */
export function poolPort(namespace: PoolNamespace): (cluster: string) => PoolPort {
  return (cluster) => ({
    exchange: (report) => namespace.getByName(cluster).exchange(cluster, report),
    ask: (ask) => namespace.getByName(cluster).ask(cluster, ask),
    withdraw: (withdrawal) => namespace.getByName(cluster).withdraw(cluster, withdrawal),
  });
}

export function poolControl(namespace: PoolNamespace): PoolControl {
  return {
    status: (cluster) => namespace.getByName(cluster).status(cluster),
    act: (cluster, action) => namespace.getByName(cluster).act(cluster, action),
  };
}
