/**
 * What both mounts of the router share of pools: the isolate's links, over the binding and the Cache API of the location, and the parts
 * that the object itself runs with.
 */
import { poolPort, type PoolNamespace } from "../../durable-objects/origin-pool/pool-port.ts";
import type { SnapshotShelf } from "../../src/shared/routing/pool/pool-link.ts";
import { PoolLinks } from "../../src/shared/routing/pool/pool-links.ts";
import type { RouterState } from "../../src/shared/routing/router-state.ts";

export function createPoolLinks(namespace: PoolNamespace, state: RouterState): PoolLinks {
  return new PoolLinks({
    source: crypto.randomUUID(),
    port: poolPort(namespace),
    shelf: cacheShelf(caches.default),
    state,
    now: () => Date.now(),
    random: Math.random,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/** As long as a snapshot says anything at all. */
const snapshotSeconds = 30;
const claimSeconds = 1;

/** A location's Cache API. Its keys are URLs of a host that can't exist: no request from outside is answered from there. */
function cacheShelf(cache: Cache): SnapshotShelf {
  const url = (kind: "snapshot" | "claim", cluster: string): string =>
    `https://pools.edgewise.invalid/${kind}/${encodeURIComponent(cluster)}`;
  const entry = (text: string, seconds: number): Response =>
    new Response(text, { headers: { "cache-control": `public, max-age=${seconds}` } });
  return {
    async get(cluster) {
      const found = await cache.match(url("snapshot", cluster));
      return found === undefined ? null : found.text();
    },
    put: (cluster, snapshot) => cache.put(url("snapshot", cluster), entry(snapshot, snapshotSeconds)),
    async claim(cluster) {
      const claim = url("claim", cluster);
      const found = await cache.match(claim);
      await found?.body?.cancel();
      if (found !== undefined) return false;
      await cache.put(claim, entry("1", claimSeconds));
      return true;
    },
  };
}
