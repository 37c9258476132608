/**
 * Which replica answers, and what when it fails? filter ▸ score ▸ pick ▸ attempt ▸ next candidate, until a first byte is in
 * hand, the request proves wrong, or time, candidates or the retry budget are used up. The module behind both mounts of the
 * router (docs/decisions/0002-router-two-mounts.md).
 */
import { err, ok, type Result } from "../contracts/result.ts";
import type { Background } from "../contracts/background.ts";
import { attempt, type AttemptResult, type OpenAnswer, type Transport } from "./attempt.ts";
import { choose } from "./choose.ts";
import type { Coordinates } from "./distance.ts";
import type { FleetIndex } from "./fleet-index.ts";
import { goneFailure } from "./gone.ts";
import type { Lease } from "./in-flight.ts";
import type { Poller } from "./poller.ts";
import type { Origin, OriginAnswer, OriginFailure, OriginOutcome, OriginRequest } from "./ports.ts";
import { probe } from "./probe.ts";
import { backoffMs } from "./retry-budget.ts";
import type { ClusterState, ReplicaState, RouterState } from "./router-state.ts";

/** Cheap to make, once a request; `state` and `poller` live as long as the isolate. */
export interface OriginRouterDeps {
  readonly state: RouterState;
  readonly poller: Poller;
  readonly fleet: FleetIndex;
  readonly transport: Transport;
  readonly background: Background;
  /** The caller has registered the request's whole work already: registering costs as much as the choice of a replica. */
  readonly callerRegisters: boolean;
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}

/** Attempts of one request, over all replicas. */
const maxAttempts = 6;
/** While another replica could still be asked, no one gets longer than this for its first byte, streaming or whole. */
const firstChunkTimeoutMs = 10_000;
const wholeAnswerTimeoutMs = 30_000;
/** How long a busy replica (429) is left alone: as it asks, within these bounds. */
const minBusyMs = 100;
const maxBusyMs = 10_000;
/** A busy replica is waited for within the request where its wait is at most this. */
const maxBusyWaitMs = 1000;
/** How long a request may wait in all for a replica that may be asked, where none may at once. */
const maxStandstillMs = 1000;
/** How often it looks again meanwhile: another request's success may have closed a breaker. */
const standstillStepMs = 100;

export function createOriginRouter(deps: OriginRouterDeps): Origin {
  return {
    dispatch(request, signal) {
      const dispatched = new Dispatch(deps, request, signal).run();
      // A client that resets takes the request's own work down with it, unless that is registered: leases would never return.
      if (!deps.callerRegisters) deps.background.run("dispatch", dispatched);
      return dispatched;
    },
    probe: (name) => probe(name, deps),
  };
}

type Failed = Exclude<AttemptResult, OpenAnswer>;

/** One request on its way through the fleet. */
class Dispatch {
  readonly #deps: OriginRouterDeps;
  readonly #request: OriginRequest;
  readonly #signal: AbortSignal;
  readonly #clusters: readonly ClusterState[];
  readonly #replicas: number;
  readonly #endMs: number;
  #tried: ReplicaState[] = [];
  #last: Failed | null = null;
  #sawBusy = false;
  #standstillMs = 0;

  constructor(deps: OriginRouterDeps, request: OriginRequest, signal: AbortSignal) {
    this.#deps = deps;
    this.#request = request;
    this.#signal = signal;
    const known = deps.state.clusters(deps.fleet);
    this.#clusters = request.clusters.flatMap((id) => known.get(id) ?? []);
    this.#replicas = this.#clusters.reduce((sum, cluster) => sum + cluster.replicas.length, 0);
    this.#endMs = deps.now() + request.deadlineMs;
  }

  async run(): Promise<Result<OriginAnswer, OriginFailure>> {
    const { now, state } = this.#deps;
    state.retryBudget.request(now());
    for (let attempts = 1; attempts <= maxAttempts; attempts += 1) {
      if (attempts > 1 && !(await this.#mayRetry(attempts - 1))) break;
      const replica = await this.#nextInTime();
      if (replica === null) break;
      const result = await this.#ask(replica, attempts);
      if (!("kind" in result)) return ok(result);
      this.#last = result;
      const failure = finalFailure(result, this.#signal);
      if (failure !== null) return err(failure);
    }
    this.#poll();
    return err(this.#exhausted());
  }

  /** Time, budget, and a pause; false where any of them is missing. */
  async #mayRetry(retry: number): Promise<boolean> {
    const { now, random, state, wait } = this.#deps;
    if (!state.retryBudget.take(now())) return false;
    const pauseMs = Math.max(backoffMs(retry, random), this.#busyWaitMs());
    if (now() + pauseMs >= this.#endMs) return false;
    await wait(pauseMs);
    return !this.#signal.aborted;
  }

  /** When all were tried and the soonest of them is busy for a moment only, that moment; else 0. */
  #busyWaitMs(): number {
    if (this.#tried.length < this.#replicas || this.#last?.kind !== "busy") return 0;
    const nowMs = this.#deps.now();
    const waitMs = Math.min(...this.#tried.map((replica) => replica.known.breaker.waitMs(nowMs)));
    return waitMs <= maxBusyWaitMs ? waitMs : 0;
  }

  /**
   * The next replica. Where every breaker is open (all were killed and are back, say) each lets a request in now and then, and
   * the first that succeeds lets in all: so a request waits a moment for that, rather than be refused at once.
   */
  async #nextInTime(): Promise<ReplicaState | null> {
    for (;;) {
      const next = this.#next();
      if (next !== null) return next;
      const pauseMs = this.#pauseMs();
      if (pauseMs === null) return null;
      this.#standstillMs += pauseMs;
      await this.#deps.wait(pauseMs);
      if (this.#signal.aborted) return null;
    }
  }

  /** `null`: nothing to wait for. */
  #pauseMs(): number | null {
    const { now, random } = this.#deps;
    const nowMs = now();
    const untried = this.#clusters.flatMap(({ replicas }) =>
      replicas.filter((replica) => !this.#tried.includes(replica)),
    );
    const soonestMs = Math.min(...untried.map(({ known }) => known.breaker.askableInMs(nowMs)));
    if (soonestMs > maxStandstillMs - this.#standstillMs) return null;
    const pauseMs = Math.max(1, Math.min(soonestMs, standstillStepMs)) + random() * 20;
    return nowMs + pauseMs < this.#endMs ? pauseMs : null;
  }

  #next(): ReplicaState | null {
    const { now, random } = this.#deps;
    const from = coordinates(this.#request);
    const next = choose(this.#clusters, this.#tried, from, now(), random);
    if (next !== null || this.#tried.length === 0) return next;
    // All were tried once. A second round is worth it where a replica may have been unlucky, not where it was too slow.
    if (this.#last?.kind === "failed" && this.#last.reason === "first-byte-timeout") return null;
    this.#tried = [];
    return choose(this.#clusters, this.#tried, from, now(), random);
  }

  async #ask(replica: ReplicaState, attempts: number): Promise<Failed | OriginAnswer> {
    const { now, state, transport } = this.#deps;
    const { breaker, occupancy } = replica.known;
    const nowMs = now();
    this.#tried.push(replica);
    breaker.begin(nowMs);
    const lease = state.inFlight.take(occupancy, this.#request.tokens, nowMs);
    const result = await attempt(
      {
        url: replica.url,
        request: this.#request,
        signal: this.#signal,
        timeoutMs: this.#timeoutMs(attempts, nowMs),
        nowMs,
      },
      transport,
    );
    if (attempts > 1 && result.kind !== "failed" && result.kind !== "busy") state.retryBudget.giveBack(now());
    if (result.kind === "open") return this.#answer(replica, result, lease, attempts);
    lease.release();
    this.#learn(replica, result);
    return result;
  }

  #answer(replica: ReplicaState, open: OpenAnswer, lease: Lease, attempts: number): OriginAnswer {
    const { now } = this.#deps;
    lease.began(now());
    replica.known.breaker.firstByte(now());
    replica.known.goodAtMs = now();
    let ended = false;
    const report = (outcome: OriginOutcome): void => {
      if (ended) return;
      ended = true;
      lease.release();
      open.close(outcome !== "done");
      scoreOutcome(replica, outcome, now());
      this.#poll();
    };
    open.onClientGone(() => report("client-gone"));
    if (this.#signal.aborted) report("client-gone");
    if (open.rest === null) report("done");
    return {
      status: open.status,
      contentType: open.contentType,
      firstChunk: open.firstChunk,
      body: open.rest,
      cluster: replica.cluster,
      replica: replica.id,
      attempts,
      report,
    };
  }

  /** The last that can be asked gets all the time that is left. */
  #timeoutMs(attempts: number, nowMs: number): number {
    const leftMs = Math.max(1, this.#endMs - nowMs);
    if (attempts === maxAttempts || this.#tried.length >= this.#replicas) return leftMs;
    const limitMs = this.#request.stream ? firstChunkTimeoutMs : wholeAnswerTimeoutMs;
    return Math.min(limitMs, leftMs * 0.6);
  }
  #learn(replica: ReplicaState, result: Failed): void {
    const { breaker } = replica.known;
    const nowMs = this.#deps.now();
    switch (result.kind) {
      case "failed":
        breaker.failure(result.reason, nowMs);
        return;
      case "busy":
        this.#sawBusy = true;
        breaker.busy(clamp(result.retryAfterMs ?? minBusyMs, minBusyMs, maxBusyMs), nowMs);
        return;
      case "gone":
        breaker.undecided();
        return;
      case "rejected":
      case "context-too-long":
        replica.known.goodAtMs = nowMs;
        breaker.success(nowMs);
    }
  }

  /** What is left to say when no replica answered. */
  #exhausted(): OriginFailure {
    if (this.#signal.aborted) return goneFailure(this.#signal);
    const nowMs = this.#deps.now();
    const waits = this.#clusters.flatMap(({ replicas }) =>
      replicas.map((replica) => replica.known.breaker.waitMs(nowMs)),
    );
    const retryAfterMs = clamp(waits.length === 0 ? 0 : Math.min(...waits), 1000, 30_000);
    if (this.#sawBusy) return { kind: "overloaded", retryAfterMs };
    const detail =
      this.#last?.kind === "failed"
        ? `${this.#last.reason}: ${this.#last.detail}`
        : waits.length === 0
          ? "no cluster of these in the fleet"
          : "every replica's breaker is open";
    return { kind: "origin-unavailable", retryAfterMs, detail };
  }

  #poll(): void {
    const { background, now, poller, transport } = this.#deps;
    const sweep = poller.sweep(this.#clusters, transport, now);
    if (sweep !== null) background.run("poll replicas", sweep);
  }
}

/** A failure that no other replica can mend; null where one may. */
function finalFailure(result: Failed, signal: AbortSignal): OriginFailure | null {
  switch (result.kind) {
    case "rejected":
      return { kind: "origin-rejected", status: result.status, detail: result.detail };
    case "context-too-long":
      return result;
    case "gone":
      return goneFailure(signal);
    case "busy":
    case "failed":
      return null;
  }
}

function scoreOutcome(replica: ReplicaState, outcome: OriginOutcome, nowMs: number): void {
  const { breaker } = replica.known;
  switch (outcome) {
    case "done":
      breaker.success(nowMs);
      return;
    case "origin-error":
      breaker.failure("broken", nowMs);
      return;
    case "stalled":
      breaker.failure("stalled", nowMs);
      return;
    case "client-gone":
      breaker.undecided();
  }
}

/** A client's place, where Cloudflare told it. */
function coordinates({ place: { latitude, longitude } }: OriginRequest): Coordinates | null {
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
