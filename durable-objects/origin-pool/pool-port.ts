import type { ActionOutcome, PoolControl } from "../../src/shared/routing/pool/pool-action.ts";
import type { PoolPort } from "../../src/shared/routing/pool/pool-link.ts";
import { poolRegion, type PoolSite } from "../../src/shared/routing/pool/pool-site.ts";
import type { PoolStatus } from "../../src/shared/routing/pool/pool-status.ts";
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import type { OriginPoolObject } from "./origin-pool.ts";

export type PoolNamespace = DurableObjectNamespace<OriginPoolObject>;

export function poolPort(namespace: PoolNamespace): (site: PoolSite) => PoolPort {
  return (site) => {
    const { id } = site;
    const stub = stubOf(namespace, site);
    return {
      exchange: (report) => stub().exchange(id, report),
      ask: (ask) => stub().ask(id, ask),
      withdraw: (withdrawal) => stub().withdraw(id, withdrawal),
    };
  };
}

/** A stub is made for each call: one that failed stays broken. */
function stubOf(namespace: PoolNamespace, site: PoolSite): () => DurableObjectStub<OriginPoolObject> {
  const region = poolRegion(site);
  const options = region === null ? {} : { locationHint: region };
  return () => namespace.getByName(site.id, options);
}

/** Longer than a pool on another continent takes. */
const controlTimeoutMs = 3000;

export function poolControl(namespace: PoolNamespace): PoolControl {
  return {
    status: (site) => limited<PoolStatus>(async () => stubOf(namespace, site)().status(site.id)),
    act: (site, action) => limited<ActionOutcome>(async () => stubOf(namespace, site)().act(site.id, action)),
  };
}

async function limited<T>(work: () => Promise<T>): Promise<T> {
  const outcome = await within(work(), controlTimeoutMs);
  if (outcome === timedOut) throw new Error("the pool did not answer in time");
  return outcome;
}
