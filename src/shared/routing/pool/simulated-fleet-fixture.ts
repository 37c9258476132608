/**
 * Many isolates in several locations, one pool, replicas that take time: the real links, reports, snapshots and pool on a clock of
 * its own, over a network that delays, loses and repeats. For tests that count.
 */
import type { Background } from "../../contracts/background.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";
import { fleetSchema } from "../fleet/fleet-config.ts";
import type { Lease } from "../in-flight.ts";
import { RouterState, type ClusterState, type ReplicaState } from "../router-state.ts";
import { Pool } from "./pool.ts";
import { PoolLink, type PoolPort, type SnapshotShelf } from "./pool-link.ts";
import { encodeSnapshot } from "./snapshot.ts";
import { seeded } from "./seeded-fixture.ts";

/** Events in the order of their time; promises that they settle run on before the next one. */
export class SimulatedClock {
  nowMs = 1_800_000_000_000;
  readonly #due = new Map<number, (() => void)[]>();
  readonly #times: number[] = [];

  /** At most a millisecond apart are the same moment. */
  at(ms: number, run: () => void): void {
    const time = Math.max(this.nowMs, Math.ceil(ms));
    const known = this.#due.get(time);
    if (known !== undefined) known.push(run);
    else {
      this.#due.set(time, [run]);
      this.#push(time);
    }
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.at(this.nowMs + ms, resolve);
    });

  async runUntil(endMs: number): Promise<void> {
    while ((this.#times[0] ?? Infinity) <= endMs) {
      this.nowMs = this.#pop();
      for (let round = 0; round < 8; round += 1) {
        const events = this.#due.get(this.nowMs) ?? [];
        this.#due.set(this.nowMs, []);
        for (const run of events) run();
        for (let tick = 0; tick < 6; tick += 1) await Promise.resolve();
        if ((this.#due.get(this.nowMs) ?? []).length === 0) break;
      }
      this.#due.delete(this.nowMs);
    }
    this.nowMs = endMs;
  }

  #push(time: number): void {
    const heap = this.#times;
    heap.push(time);
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] ?? 0) <= time) break;
      heap[at] = heap[parent] ?? 0;
      heap[parent] = time;
      at = parent;
    }
  }

  #pop(): number {
    const heap = this.#times;
    const least = heap[0] ?? Infinity;
    const last = heap.pop() ?? Infinity;
    if (heap.length === 0) return least;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const child = (heap[left + 1] ?? Infinity) < (heap[left] ?? Infinity) ? left + 1 : left;
      if ((heap[child] ?? Infinity) >= last) break;
      heap[at] = heap[child] ?? 0;
      heap[child] = last;
      at = child;
    }
    return least;
  }
}

export interface SimulatedFleetOptions {
  readonly replicas: number;
  readonly slots: number;
  readonly locations: number;
  readonly isolates: number;
  /** Share of the reports that never arrive, and of those that arrive twice. */
  readonly lost: number;
  readonly repeated: number;
  readonly hasMetrics: boolean;
}

export interface SimulatedIsolate {
  readonly location: number;
  readonly state: RouterState;
  readonly link: PoolLink;
  readonly cluster: () => ClusterState;
  isDead: boolean;
}

export class SimulatedFleet {
  readonly clock = new SimulatedClock();
  readonly random = seeded(7);
  readonly pool: Pool;
  readonly isolates: SimulatedIsolate[] = [];
  /** Calls that reached the object, by second. */
  readonly calls = new Map<number, number>();
  /** What really runs, by replica. */
  readonly truth = new Map<string, number>();
  readonly #options: SimulatedFleetOptions;
  readonly #shelves: SnapshotShelf[];
  readonly #index;

  constructor(options: SimulatedFleetOptions) {
    this.#options = options;
    this.#index = buildFleetIndex(
      fleetSchema.parse({
        version: "1",
        clusters: [
          {
            id: "c",
            region: "r",
            pool: true,
            replicas: Array.from({ length: options.replicas }, (_, at) => ({
              id: `r${at}`,
              url: `http://r${at}.test`,
              slots: options.slots,
            })),
            models: [{ id: "m", served_name: "M", context_window: 4096 }],
          },
        ],
      }),
    );
    this.pool = new Pool({ cluster: "c", incarnation: "1", random: this.random });
    this.pool.members.adopt(
      Array.from({ length: options.replicas }, (_, at) => ({
        id: `r${at}`,
        slots: options.slots,
        zone: null,
        url: null,
      })),
      this.clock.nowMs,
    );
    this.#shelves = Array.from({ length: options.locations }, () => this.#shelf());
    for (let at = 0; at < options.isolates; at += 1) this.isolates.push(this.born(at % options.locations));
    this.#poll();
  }

  /** A new isolate; one that dies holds nothing any more and says nothing. */
  born(location: number): SimulatedIsolate {
    const state = new RouterState();
    const shelf = this.#shelves[location];
    if (shelf === undefined) throw new Error("there is no such location");
    const made: { isolate: SimulatedIsolate | null } = { isolate: null };
    const link = new PoolLink({
      cluster: "c",
      source: `isolate ${this.random()}`,
      port: this.#port(20 + (location % 10) * 12, () => made.isolate?.isDead === true),
      shelf,
      state,
      now: () => this.clock.nowMs,
      random: this.random,
      sleep: this.clock.sleep,
    });
    const cluster = (): ClusterState => {
      const found = state.clusters(this.#index).get("c");
      if (found === undefined) throw new Error("the cluster is in the fleet");
      return found;
    };
    made.isolate = { location, state, link, cluster, isDead: false };
    return made.isolate;
  }

  readonly background: Background = {
    // What fails on the way is lost: that is what is tried.
    run: (_name, work) => void work.catch(() => undefined),
  };

  /** A request at a replica for so long; its end is the isolate's to report. */
  request(isolate: SimulatedIsolate, replica: ReplicaState, tokens: number, runsMs: number): void {
    const { nowMs } = this.clock;
    const lease: Lease = isolate.state.inFlight.take(replica.known.occupancy, tokens, nowMs);
    lease.began(nowMs);
    this.truth.set(replica.id, (this.truth.get(replica.id) ?? 0) + 1);
    isolate.link.changed(isolate.cluster(), this.background);
    this.clock.at(nowMs + runsMs, () => {
      this.truth.set(replica.id, (this.truth.get(replica.id) ?? 0) - 1);
      if (isolate.isDead) return;
      lease.release();
      isolate.link.changed(isolate.cluster(), this.background);
    });
  }

  /** The greatest number of calls in any second. */
  get mostCalls(): number {
    return Math.max(...this.calls.values());
  }

  #count(): void {
    const second = Math.floor(this.clock.nowMs / 1000);
    this.calls.set(second, (this.calls.get(second) ?? 0) + 1);
  }

  #port(latencyMs: number, isDead: () => boolean): PoolPort {
    const { sleep } = this.clock;
    const { lost, repeated } = this.#options;
    return {
      exchange: async (report) => {
        await sleep(latencyMs / 2);
        if (isDead() || this.random() < lost) throw new Error("lost on its way");
        this.#count();
        this.pool.report(report, this.clock.nowMs);
        if (this.random() < repeated)
          this.clock.at(this.clock.nowMs + 700, () => this.pool.report(report, this.clock.nowMs));
        const atMs = this.clock.nowMs;
        const snapshot = encodeSnapshot(this.pool.snapshot(atMs));
        await sleep(latencyMs / 2);
        if (this.random() < lost) throw new Error("lost on its way back");
        return { result: "taken", snapshot, atMs };
      },
      ask: () => Promise.reject(new Error("nobody asks here")),
      withdraw: () => Promise.resolve(),
    };
  }

  #shelf(): SnapshotShelf {
    let text: string | null = null;
    let claimedUntilMs = 0;
    const { sleep } = this.clock;
    return {
      get: async () => {
        await sleep(2);
        return text;
      },
      put: async (_cluster, snapshot) => {
        await sleep(3);
        text = snapshot;
      },
      claim: async () => {
        await sleep(2);
        if (this.clock.nowMs < claimedUntilMs) return false;
        await sleep(3);
        claimedUntilMs = this.clock.nowMs + 1000;
        return true;
      },
    };
  }

  /** Every second, as the object does. */
  #poll(): void {
    const { nowMs } = this.clock;
    for (const record of this.pool.members.all()) {
      const running = this.truth.get(record.config.id) ?? 0;
      record.found(
        {
          isAlive: true,
          running: this.#options.hasMetrics ? running : null,
          waiting: this.#options.hasMetrics ? 0 : null,
          kvUsage: null,
          workedTokens: null,
        },
        nowMs,
      );
    }
    this.pool.tick(nowMs);
    this.clock.at(nowMs + 1000, () => this.#poll());
  }
}
