import type { ActionOutcome, PoolControl } from "../../src/shared/routing/pool/pool-action.ts";
import type { PoolPort } from "../../src/shared/routing/pool/pool-link.ts";
import type { PoolStatus } from "../../src/shared/routing/pool/pool-status.ts";
import { timedOut, within } from "../../src/shared/isolate/shared-load.ts";
import type { OriginPoolObject } from "./origin-pool.ts";

export type PoolNamespace = DurableObjectNamespace<OriginPoolObject>;

/** A stub is made for each call: one that failed stays broken. */
export function poolPort(namespace: PoolNamespace): (cluster: string) => PoolPort {
  return (cluster) => ({
    exchange: (report) => namespace.getByName(cluster).exchange(cluster, report),
    ask: (ask) => namespace.getByName(cluster).ask(cluster, ask),
    withdraw: (withdrawal) => namespace.getByName(cluster).withdraw(cluster, withdrawal),
  });
}

/** Longer than a pool on another continent takes. */
const controlTimeoutMs = 3000;

export function poolControl(namespace: PoolNamespace): PoolControl {
  return {
    status: (cluster) => limited<PoolStatus>(async () => namespace.getByName(cluster).status(cluster)),
    act: (cluster, action) =>
      limited<ActionOutcome>(async () => namespace.getByName(cluster).act(cluster, action)),
  };
}

async function limited<T>(work: () => Promise<T>): Promise<T> {
  const outcome = await within(work(), controlTimeoutMs);
  if (outcome === timedOut) throw new Error("the pool did not answer in time");
  return outcome;
}
