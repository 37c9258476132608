/** Which of a request's clusters have a pool? One link per cluster, for as long as the isolate lives. */
import type { Background } from "../../contracts/background.ts";
import type { ClusterState, RouterState } from "../router-state.ts";
import type { PoolSite } from "./pool-site.ts";
import { PoolLink, type PoolPort, type SnapshotShelf } from "./pool-link.ts";

export interface PoolLinksOptions {
  readonly source: string;
  readonly port: (site: PoolSite) => PoolPort;
  readonly shelf: SnapshotShelf;
  readonly state: RouterState;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export class PoolLinks {
  readonly #options: PoolLinksOptions;
  readonly #links = new Map<string, PoolLink>();

  constructor(options: PoolLinksOptions) {
    this.#options = options;
  }

  /** Null: this cluster has no pool. */
  of({ cluster }: ClusterState): PoolLink | null {
    if (!cluster.pool) return null;
    const known = this.#links.get(cluster.id);
    if (known !== undefined) return known;
    const { port, ...rest } = this.#options;
    const made = new PoolLink({ ...rest, cluster: cluster.id, port: port(cluster) });
    this.#links.set(cluster.id, made);
    return made;
  }

  /** A request began or ended at one of these. */
  changed(clusters: readonly ClusterState[], background: Background): void {
    for (const cluster of clusters) this.of(cluster)?.changed(cluster, background);
  }

  /** The clusters that only this isolate polls. */
  unspoken(clusters: readonly ClusterState[], nowMs: number): readonly ClusterState[] {
    return clusters.filter((cluster) => this.of(cluster)?.speaks(nowMs) !== true);
  }
}
