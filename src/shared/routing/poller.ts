/**
 * How are the replicas doing, beyond what our own requests show? Asks `/health` and `/metrics` after a response, never before one: one
 * sweep at a time in an isolate, each replica at most every three seconds.
 */
import type { Transport } from "./attempt.ts";
import { unknownMetrics, type EngineMetrics } from "./engines/engine-metrics.ts";
import { hasPassed, leftUntil } from "./elapsed.ts";
import { engineAdapter } from "./engines/engine.ts";
import type { PoolLinks } from "./pool/pool-links.ts";
import type { PollFinding } from "./pool/replica-record.ts";
import { readAtMost } from "./read-body.ts";
import type { ClusterState, ReplicaState } from "./router-state.ts";

export const pollIntervalMs = 3000;
const pollTimeoutMs = 1000;
/** Replicas in one sweep, one after the other: it holds one of a Worker's six connections. */
const replicasPerSweep = 4;
/** A sweep whose request was torn down never ends; after so long it is taken for dead. */
const sweepTtlMs = 2 * replicasPerSweep * pollTimeoutMs;
/** vLLM's page is about 100 KB with many models. */
const maxMetricsBytes = 524_288;

export class Poller {
  #sweepSinceMs = Number.NEGATIVE_INFINITY;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  /** A sweep to run in the background, or null when none is due. `now` is the clock, since a sweep takes time. */
  sweep(
    clusters: readonly ClusterState[],
    transport: Transport,
    now: () => number,
    pools?: PoolLinks,
  ): Promise<void> | null {
    const nowMs = now();
    if (leftUntil(this.#nextLookMs, nowMs, pollIntervalMs) > 0) return null;
    if (!hasPassed(this.#sweepSinceMs, nowMs, sweepTtlMs)) return null;
    // Replicas that a pool polls need not be polled by its isolates.
    const due = dueReplicas(pools?.unspoken(clusters, nowMs) ?? clusters, nowMs);
    if (due.length === 0) {
      this.#nextLookMs = nowMs + pollIntervalMs / 10;
      return null;
    }
    this.#sweepSinceMs = nowMs;
    return this.#run(due, transport, now);
  }

  async #run(due: readonly ReplicaState[], transport: Transport, now: () => number): Promise<void> {
    try {
      for (const replica of due) await pollReplica(replica, transport, now);
    } finally {
      this.#sweepSinceMs = Number.NEGATIVE_INFINITY;
    }
  }
}

function dueReplicas(clusters: readonly ClusterState[], nowMs: number): ReplicaState[] {
  const due: ReplicaState[] = [];
  for (const { replicas } of clusters) {
    for (const replica of replicas) {
      if (hasPassed(replica.known.polledAtMs, nowMs, pollIntervalMs)) due.push(replica);
    }
  }
  // Least recently polled first; at most one sweep's worth is kept.
  due.sort((left, right) => left.known.polledAtMs - right.known.polledAtMs);
  return due.slice(0, replicasPerSweep);
}

/** Asks one replica how it is and remembers it. True: it is alive. Never throws. */
export async function pollReplica(
  replica: ReplicaState,
  transport: Transport,
  now: () => number,
): Promise<boolean> {
  const { known } = replica;
  known.polledAtMs = now();
  const ownRequests = known.occupancy.requests;
  if (!(await askHealth(replica, transport))) {
    known.breaker.failure("refused", now());
    known.polled = null;
    return false;
  }
  known.goodAtMs = now();
  known.breaker.polledWell(now());
  if (replica.hasMetrics) {
    const metrics = await askMetrics(replica, transport);
    known.polled = metrics === unknownMetrics ? null : { atMs: now(), metrics, ownRequests };
  }
  return true;
}

/** The same for a pool, which keeps what it learns in its own records. Never rejects; takes at most `timeoutMs`. */
export async function findReplica(
  replica: ReplicaState,
  transport: Transport,
  timeoutMs: number,
): Promise<PollFinding> {
  const signal = AbortSignal.timeout(timeoutMs);
  const isAlive = await askHealth(replica, transport, signal);
  const { running, waiting, cacheUsage, workedTokens } =
    isAlive && replica.hasMetrics ? await askMetrics(replica, transport, signal) : unknownMetrics;
  return { isAlive, running, waiting, kvUsage: cacheUsage, workedTokens };
}

/** Servers without `/health` (404, or a key that it wants) are alive all the same. A redirect is no engine's: it is Access, and leads to its login. */
async function askHealth(
  replica: ReplicaState,
  transport: Transport,
  signal = AbortSignal.timeout(pollTimeoutMs),
): Promise<boolean> {
  const path = engineAdapter(replica.engine).healthPath;
  if (path === null) return true;
  try {
    const response = await transport(replica.url + path, pollInit(signal), replica.target);
    await response.body?.cancel();
    return response.status < 300 || (response.status >= 400 && response.status < 500);
  } catch {
    // Refused, reset and timed out all mean the same here, and the caller scores it.
    return false;
  }
}

async function askMetrics(
  replica: ReplicaState,
  transport: Transport,
  signal = AbortSignal.timeout(pollTimeoutMs),
): Promise<EngineMetrics> {
  const engine = engineAdapter(replica.engine);
  const { metricsPath } = engine;
  if (metricsPath === null) return unknownMetrics;
  try {
    const response = await transport(replica.url + metricsPath, pollInit(signal), replica.target);
    if (response.body === null) return unknownMetrics;
    const text = await readAtMost(response.body, maxMetricsBytes);
    return response.ok ? engine.readMetrics(text) : unknownMetrics;
  } catch {
    // A replica may be well and its metrics out of reach: unknown.
    return unknownMetrics;
  }
}

function pollInit(signal: AbortSignal): RequestInit {
  return { redirect: "manual", signal };
}
