/** Which replicas does a pool poll, and when? Those of its cluster in the current fleet and those that joined, one sweep per second. */
import type { Transport } from "../../src/shared/routing/attempt.ts";
import { hasPassed } from "../../src/shared/routing/elapsed.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { ClusterFacts } from "../../src/shared/routing/pool/pool-status.ts";
import type { MemberConfig, PollFinding } from "../../src/shared/routing/pool/replica-record.ts";
import type { Pool } from "../../src/shared/routing/pool/pool.ts";
import { sweep } from "../../src/shared/routing/pool/sweep.ts";
import { findReplica } from "../../src/shared/routing/poller.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";

const pollEveryMs = 1000;
const unreachable: PollFinding = {
  isAlive: false,
  running: null,
  waiting: null,
  kvUsage: null,
  workedTokens: null,
};

export class FleetPoll {
  readonly #cluster: string;
  readonly #pool: Pool;
  readonly #transport: Transport;
  readonly #state = new RouterState();
  #fleet: FleetIndex | null = null;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #isSweeping = false;

  constructor(cluster: string, pool: Pool, transport: Transport) {
    this.#cluster = cluster;
    this.#pool = pool;
    this.#transport = transport;
  }

  get facts(): ClusterFacts {
    const cluster = this.#fleet?.clusters.get(this.#cluster);
    return {
      models: cluster?.models.map(({ id }) => id) ?? [],
      costPerHour: cluster?.cost_per_hour ?? 0,
    };
  }

  adopt(fleet: FleetIndex, nowMs: number): void {
    if (fleet === this.#fleet) return;
    this.#fleet = fleet;
    const replicas = fleet.clusters.get(this.#cluster)?.replicas ?? [];
    this.#pool.members.adopt(
      replicas.map(({ id, slots, zone = null }): MemberConfig => ({ id, slots, zone, url: null })),
      nowMs,
    );
  }

  /** A sweep to run in the background, or null when none is due. */
  sweep(now: () => number): Promise<void> | null {
    const { members } = this.#pool;
    if (this.#fleet === null || this.#isSweeping || !hasPassed(this.#sweptAtMs, now(), pollEveryMs))
      return null;
    this.#isSweeping = true;
    this.#sweptAtMs = now();
    this.#state.joined(this.#cluster, members.joined());
    const known = this.#state.clusters(this.#fleet).get(this.#cluster)?.replicas ?? [];
    const targets = new Map(known.map((replica) => [replica.id, replica]));
    const swept = sweep(
      members.all().map(({ config, polledAtMs, isAlive }) => ({ replica: config.id, polledAtMs, isAlive })),
      {
        poll: async (replica, timeoutMs) => {
          const target = targets.get(replica);
          return target === undefined ? unreachable : findReplica(target, this.#transport, timeoutMs);
        },
        found: (replica, finding) => members.get(replica)?.found(finding, now()),
        now,
      },
    );
    return swept.finally(() => {
      this.#isSweeping = false;
    });
  }
}
