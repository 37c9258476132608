/** A whole router in front of pools that a test has in its hand. Needs fake timers. */
import { vi } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest } from "./fake-replicas.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import type { ClientPlace, OriginAnswer, OriginRequest } from "../../src/shared/routing/ports.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { Pool, keyOf, type Decision } from "../../src/shared/routing/pool/pool.ts";
import type { PoolPort, SnapshotShelf } from "../../src/shared/routing/pool/pool-link.ts";
import { PoolLinks } from "../../src/shared/routing/pool/pool-links.ts";
import type { AskOutcome } from "../../src/shared/routing/pool/pool-protocol.ts";
import { encodeSnapshot } from "../../src/shared/routing/pool/snapshot.ts";

/** The object's part: who waits, and the answer when it is decided. */
class PoolHost {
  readonly pool: Pool;
  readonly calls: string[] = [];
  isDown = false;
  /** Its queue is full, and says when to come back. */
  fullForMs: number | null = null;
  readonly #waiting = new Map<string, PromiseWithResolvers<AskOutcome>>();

  constructor(cluster: string, replicas: number) {
    this.pool = new Pool({ cluster, incarnation: "1", random: () => 0 });
    const configs = Array.from({ length: replicas }, (_, at) => ({
      id: `r${at}`,
      slots: 4,
      zone: null,
      url: null,
    }));
    this.pool.members.adopt(configs, 0);
  }

  readonly port: PoolPort = {
    exchange: async (report) => {
      this.#called("exchange");
      this.#carryOut(this.pool.report(structuredClone(report), Date.now()));
      return {
        result: "taken",
        snapshot: encodeSnapshot(this.pool.snapshot(Date.now())),
        atMs: Date.now(),
      };
    },
    ask: async (ask) => {
      this.#called("ask");
      if (this.fullForMs !== null) return { result: "overloaded", retryAfterMs: this.fullForMs };
      const waiter = Promise.withResolvers<AskOutcome>();
      this.#waiting.set(keyOf(ask), waiter);
      this.#carryOut(this.pool.ask(ask, Date.now()));
      return waiter.promise;
    },
    withdraw: async (withdrawal) => {
      this.#called("withdraw");
      this.#carryOut(this.pool.withdraw(withdrawal, Date.now()));
    },
  };

  tick(): void {
    this.#carryOut(this.pool.tick(Date.now()));
  }

  /** As isolates see it, with requests of others at every slot. */
  fill(free = 0): void {
    const decisions = this.pool.report(
      {
        v: 1,
        source: "others",
        sequence: Date.now(),
        issued: 1000,
        open: Array.from({ length: 4 - free }, (_, at) => [at + 1, "r0", 10, 0] as const),
        asking: [],
        outcomes: [],
        reason: "report",
      },
      Date.now(),
    );
    this.#carryOut(decisions);
    this.tick();
  }

  #called(name: string): void {
    if (this.isDown) throw new Error("the pool is down");
    this.calls.push(name);
  }

  #carryOut(decisions: readonly Decision[]): void {
    for (const { key, outcome } of decisions) this.#waiting.get(key)?.resolve(outcome);
  }
}

export function mountGate(clusters = 1) {
  const fleet = fakeFleet(...Array.from({ length: clusters }, () => 1));
  for (const [at, cluster] of fleet.clusters.entries()) {
    cluster.pool = true;
    cluster.longitude = 10 * at;
  }
  const hosts = fleet.clusters.map(({ id }) => new PoolHost(id, 1));
  const state = new RouterState();
  const shelf: SnapshotShelf = {
    get: () => Promise.resolve(null),
    put: () => Promise.resolve(),
    claim: () => Promise.resolve(true),
  };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const replicas = new FakeReplicas();
  const polls: string[] = [];
  const faults: string[] = [];
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    pools: new PoolLinks({
      source: "isolate",
      port: ({ id }) => hosts[Number(id.slice(1))]?.port ?? failing,
      shelf,
      state,
      now: () => Date.now(),
      random: () => 0.5,
      sleep,
    }),
    fleet: buildFleetIndex(fleet),
    transport: (url, init, target) => {
      if (/(health|metrics)$/.test(url)) polls.push(url);
      return replicas.transport(url, init, target);
    },
    background: {
      run: (name, work) => void work.catch((error: unknown) => faults.push(`${name}: ${String(error)}`)),
    },
    now: () => Date.now(),
    random: () => 0.5,
    wait: sleep,
  });
  const ids = fleet.clusters.map(({ id }) => id);
  const dispatch = (signal = new AbortController().signal, place: ClientPlace = {}) =>
    origin.dispatch({ ...fakeRequest(ids), place }, signal);
  /** For which nobody waits. */
  const dispatchYielding = (change: Partial<OriginRequest> = {}) =>
    origin.dispatch(fakeRequest(ids, { yields: true, ...change }), new AbortController().signal);
  /** Has the isolate hear of its pools. */
  const hear = async (): Promise<void> => {
    const first = await dispatch();
    if (!first.ok) throw new Error(first.error.kind);
    first.value.report("done");
    await vi.advanceTimersByTimeAsync(3000);
  };
  return { hosts, state, replicas, polls, faults, dispatch, dispatchYielding, hear };
}

const failing: PoolPort = {
  exchange: () => Promise.reject(new Error("no such pool")),
  ask: () => Promise.reject(new Error("no such pool")),
  withdraw: () => Promise.reject(new Error("no such pool")),
};

export function opened(
  result: { ok: true; value: OriginAnswer } | { ok: false; error: { kind: string } },
): OriginAnswer {
  if (!result.ok) throw new Error(result.error.kind);
  return result.value;
}
