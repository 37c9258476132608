import { DurableObject } from "cloudflare:workers";
import { type Background, backgroundOf } from "../../src/shared/contracts/background.ts";
import type { Transport } from "../../src/shared/routing/attempt.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import {
  applyAction,
  type ActionOutcome,
  type PoolAction,
} from "../../src/shared/routing/pool/pool-action.ts";
import { keyOf, Pool, tickMs, type Decision } from "../../src/shared/routing/pool/pool.ts";
import {
  poolVersion,
  type AskOutcome,
  type ExchangeOutcome,
  type LeaseReport,
  type PoolAsk,
  type PoolWithdrawal,
} from "../../src/shared/routing/pool/pool-protocol.ts";
import { poolStatus, type PoolStatus } from "../../src/shared/routing/pool/pool-status.ts";
import { encodeSnapshot } from "../../src/shared/routing/pool/snapshot.ts";
import { FleetPoll } from "./fleet-poll.ts";
import { PoolStore } from "./pool-store.ts";

/** What the mount gives the object: the same fleet and the same network as its router has. */
export interface OriginPoolParts {
  /** The fleet in force; null: it can't be read now. */
  fleet(background: Background): Promise<FleetIndex | null>;
  readonly transport: Transport;
  readonly report: (component: string, detail: string) => void;
}

const noFacts = { models: [], costPerHour: 0 } as const;
const supported = { result: "version-unsupported", supported: poolVersion } as const;

export interface OriginPoolMethods {
  exchange(cluster: string, report: LeaseReport): Promise<ExchangeOutcome>;
  ask(cluster: string, ask: PoolAsk): Promise<AskOutcome>;
  withdraw(cluster: string, withdrawal: PoolWithdrawal): Promise<void>;
  act(cluster: string, action: PoolAction): Promise<ActionOutcome>;
  status(cluster: string): Promise<PoolStatus>;
}

export type OriginPoolObject = Rpc.DurableObjectBranded & OriginPoolMethods;
export type OriginPoolClass<Env> = new (context: DurableObjectState, env: Env) => OriginPoolObject;

/**
 * The pool of one cluster, named by its id. Holds no content, no tenant's data but ids of those who wait, and so no jurisdiction.
 *
 * Everything but admins' wishes is memory: an eviction or a kill loses leases and queue, which is made good by the isolates' next reports,
 * by the next poll, and by whoever waits asking again. All rules are in src/shared/routing/pool; here are the clock, the network,
 * the waiting calls and the disk.
 */
export function createOriginPoolClass<Env>(
  compose: (env: Env, context: DurableObjectState) => OriginPoolParts,
): OriginPoolClass<Env> {
  return class OriginPool extends DurableObject<Env> implements OriginPoolMethods {
    readonly #store: PoolStore;
    readonly #parts: OriginPoolParts;
    readonly #waiting = new Map<string, PromiseWithResolvers<AskOutcome>>();
    readonly #background: Background;
    #pool: Pool | null = null;
    #poll: FleetPoll | null = null;
    #ticking = false;
    /** The sweep under way, or the last one: over within two seconds, and never rejects. */
    #looking: Promise<void> = Promise.resolve();

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      this.#store = new PoolStore(context.storage);
      this.#parts = compose(env, context);
      this.#background = backgroundOf(context, this.#parts.report);
    }

    async exchange(cluster: string, report: LeaseReport): Promise<ExchangeOutcome> {
      if (report.v !== poolVersion) return supported;
      const pool = await this.#ready(cluster);
      const atMs = Date.now();
      this.#carryOut(pool.report(report, atMs));
      this.#lookAround();
      return { result: "taken", snapshot: encodeSnapshot(pool.snapshot(atMs)), atMs };
    }

    async ask(cluster: string, ask: PoolAsk): Promise<AskOutcome> {
      if (ask.v !== poolVersion) return supported;
      const pool = await this.#ready(cluster);
      const key = keyOf(ask);
      const waiter = this.#waiting.get(key) ?? Promise.withResolvers<AskOutcome>();
      this.#waiting.set(key, waiter);
      this.#carryOut(pool.ask(ask, Date.now()));
      this.#lookAround();
      this.#keepTicking(pool);
      return waiter.promise;
    }

    async withdraw(cluster: string, withdrawal: PoolWithdrawal): Promise<void> {
      if (withdrawal.v !== poolVersion) return;
      const pool = await this.#ready(cluster);
      this.#carryOut(pool.withdraw(withdrawal, Date.now()));
    }

    async act(cluster: string, action: PoolAction): Promise<ActionOutcome> {
      const pool = await this.#ready(cluster);
      const nowMs = Date.now();
      const replica = action.kind === "join" ? action.member.id : action.replica;
      const outcome = applyAction(pool.members, action, nowMs);
      if (outcome.result === "done" && (outcome.changed || this.#store.heartbeatIsDue(replica, nowMs)))
        this.#store.write(replica, pool.members.kept(replica));
      this.#carryOut(pool.tick(nowMs));
      return outcome;
    }

    async status(cluster: string): Promise<PoolStatus> {
      const pool = await this.#ready(cluster);
      this.#lookAround();
      // Without memory everything looks idle, and an autoscaler would remove busy replicas: so the engines are polled first.
      if (pool.members.all().every(({ isAlive }) => isAlive === null)) await this.#looking;
      const nowMs = Date.now();
      this.#carryOut(pool.tick(nowMs));
      return poolStatus(pool, this.#poll?.facts ?? noFacts, nowMs);
    }

    /** The pool, with the replicas of the fleet in force. */
    async #ready(cluster: string): Promise<Pool> {
      const fleet = await this.#parts.fleet(this.#background);
      // From here on nothing awaits: two first calls make one pool.
      const pool = (this.#pool ??= this.#make(cluster));
      if (fleet !== null) this.#poll?.adopt(fleet, Date.now());
      return pool;
    }

    #make(cluster: string): Pool {
      const incarnation = crypto.randomUUID();
      const pool = new Pool({ cluster, incarnation, random: Math.random });
      pool.members.restore(this.#store.read());
      this.#poll = new FleetPoll(cluster, pool, this.#parts.transport);
      return pool;
    }

    /** Polls in the background if that is due; the result may release waiting requests. */
    #lookAround(): void {
      const sweep = this.#poll?.sweep(() => Date.now()) ?? null;
      const pool = this.#pool;
      if (sweep === null || pool === null) return;
      const swept = sweep.then(() => {
        for (const replica of pool.members.forget(Date.now())) this.#store.write(replica, null);
        this.#carryOut(pool.tick(Date.now()));
      });
      this.#background.run("poll replicas", swept);
      // Its fault is reported there.
      this.#looking = swept.catch(() => undefined);
    }

    #carryOut(decisions: readonly Decision[]): void {
      for (const { key, outcome } of decisions) {
        this.#waiting.get(key)?.resolve(outcome);
        this.#waiting.delete(key);
      }
    }

    /** Runs while requests wait; their pending calls keep the object in memory. */
    #keepTicking(pool: Pool): void {
      if (this.#ticking || this.#waiting.size === 0) return;
      this.#ticking = true;
      setTimeout(() => {
        this.#ticking = false;
        this.#carryOut(pool.tick(Date.now()));
        this.#lookAround();
        this.#keepTicking(pool);
      }, tickMs);
    }
  };
}
