/**
 * One request's way through the fleet: next replica ▸ attempt ▸ next candidate, until a first byte has arrived, an engine has rejected the
 * request, or time, candidates or the retry budget have run out.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { askReplica, clamp, isForAnother, type Failed } from "./ask-replica.ts";
import { goneFailure } from "./gone.ts";
import { NextReplica } from "./next-replica.ts";
import { hedged, type Ask } from "./hedge.ts";
import type { OriginAnswer, OriginFailure, OriginRequest } from "./ports.ts";
import { backoffMs } from "./retry-budget.ts";
import type { OriginRouterDeps } from "./router-deps.ts";
import type { ClusterState, ReplicaState } from "./router-state.ts";

/** Attempts of one request, over all replicas. */
const maxAttempts = 6;
/** While another replica could still be asked, no one gets longer than this for its first byte, streaming or whole. */
const firstChunkTimeoutMs = 10_000;
const wholeAnswerTimeoutMs = 30_000;
/** Clients are told not to try again after any wait that is longer. */
const mostRetryAfterMs = 30_000;

export class Dispatch {
  readonly #deps: OriginRouterDeps;
  readonly #request: OriginRequest;
  readonly #signal: LeaveSignal;
  readonly #clusters: readonly ClusterState[];
  readonly #next: NextReplica;
  readonly #endMs: number;
  #last: Failed | null = null;
  #sawBusy = false;
  /** A second replica was asked beside the first. */
  #hedges = 0;
  /** Replicas that failed, in order: shows why an answer was late, or why there is none. */
  readonly #tried: string[] = [];

  constructor(deps: OriginRouterDeps, request: OriginRequest, signal: LeaveSignal) {
    this.#deps = deps;
    this.#request = request;
    this.#signal = signal;
    const known = deps.state.clusters(deps.fleet);
    const clusters: ClusterState[] = [];
    for (const id of request.clusters) {
      const cluster = known.get(id);
      if (cluster !== undefined) clusters.push(cluster);
    }
    this.#clusters = clusters;
    this.#endMs = deps.now() + request.deadlineMs;
    this.#next = new NextReplica(deps, this.#clusters, request, signal, this.#endMs);
  }

  async run(): Promise<Result<OriginAnswer, OriginFailure>> {
    const { now, state } = this.#deps;
    if (this.#request.goesOnFrom === undefined) state.retryBudget.request(now());
    else if (!state.retryBudget.take(now()))
      return err({ kind: "origin-unavailable", retryAfterMs: 1000, detail: "the retry budget is used up" });
    for (let attempts = 1; attempts <= maxAttempts; attempts += 1) {
      if (attempts > 1 && !(await this.#mayRetry(attempts - 1))) break;
      const replica = await this.#next.inTime(this.#last);
      if (replica === null) break;
      const result =
        this.#request.hedge === true && attempts === 1
          ? await this.#askTwo(replica)
          : await this.#ask(replica, attempts, this.#signal);
      if (!("kind" in result)) {
        this.#deps.pools?.changed(this.#clusters, this.#deps.background);
        return ok(this.#tried.length === 0 ? result : { ...result, tried: this.#tried.join("; ") });
      }
      this.#last = result;
      const failure = finalFailure(result, this.#signal);
      if (failure !== null) return err(failure);
      if (result.kind === "lacking" && this.#next.allLack) break;
    }
    this.#poll();
    return err(this.#exhausted());
  }

  /** Time, budget, and a pause; false where any of them is missing. */
  async #mayRetry(retry: number): Promise<boolean> {
    const { now, random, state, wait } = this.#deps;
    if (!state.retryBudget.take(now())) return false;
    const pauseMs = Math.max(backoffMs(retry, random), this.#next.busyWaitMs(this.#last));
    if (now() + pauseMs >= this.#endMs) return false;
    await wait(pauseMs);
    return !this.#signal.aborted;
  }

  /** The first attempt, and a second one beside it when it is late. */
  #askTwo(replica: ReplicaState): Promise<Failed | OriginAnswer> {
    const { background, now, state } = this.#deps;
    const { model, stream } = this.#request;
    const afterMs = state.firstByteTimes.p95(model, stream);
    const first: Ask = (signal) => this.#ask(replica, 1, signal);
    if (afterMs === null) return first(this.#signal);
    return hedged(first, () => this.#second(), {
      signal: this.#signal,
      afterMs,
      outrun: () => replica.known.breaker.outrun(now()),
      onLoser: (ended) => background.run("the slower of two replicas", ended),
    });
  }

  /** A replica to ask beside the first, within the retry budget. Its retry is never refunded, since no failure made it necessary. */
  #second(): Ask | null {
    const other = this.#next.other();
    if (other === null || !this.#deps.state.retryBudget.take(this.#deps.now())) return null;
    this.#hedges = 1;
    return (signal) => this.#ask(other, 1, signal);
  }

  async #ask(replica: ReplicaState, attempts: number, signal: LeaveSignal): Promise<Failed | OriginAnswer> {
    const { now, state } = this.#deps;
    const goesOn = this.#request.goesOnFrom !== undefined;
    this.#next.asked(replica);
    const beganMs = now();
    // Rarely, so reported in the background: isolates that choose now should know of it before its first byte.
    this.#deps.pools?.changed(this.#clusters, this.#deps.background);
    const result = await askReplica(
      replica,
      {
        request: this.#request,
        signal,
        timeoutMs: this.#timeoutMs(attempts, now()),
        attempts: attempts + this.#hedges,
        leaseNumber: this.#next.takeLeaseNumber(),
        onArrival: () => this.#deps.pools?.changed(this.#clusters, this.#deps.background),
        onEnd: (outcome) => {
          // The answer had a first byte before, so another proves little: a continuation must end well to have its retry refunded.
          if (outcome === "done" && goesOn) state.retryBudget.giveBack(now());
          this.#poll();
        },
      },
      this.#deps,
    );
    const failed = "kind" in result && isForAnother(result);
    if (failed) {
      const why = result.kind === "failed" ? result.reason : result.kind;
      this.#tried.push(`${replica.cluster}/${replica.id}: ${why} after ${Math.round(now() - beganMs)} ms`);
    }
    if (attempts > 1 && !failed) state.retryBudget.giveBack(now());
    if ("kind" in result && result.kind === "busy") this.#sawBusy = true;
    return result;
  }

  /** The last that can be asked gets all the time that is left. */
  #timeoutMs(attempts: number, nowMs: number): number {
    const leftMs = Math.max(1, this.#endMs - nowMs);
    if (attempts === maxAttempts || this.#next.allTried) return leftMs;
    const limitMs = this.#request.stream ? firstChunkTimeoutMs : wholeAnswerTimeoutMs;
    return Math.min(limitMs, leftMs * 0.6);
  }

  /** The failure to report when no replica answered. */
  #exhausted(): OriginFailure {
    if (this.#signal.aborted) return goneFailure(this.#signal);
    const nowMs = this.#deps.now();
    const waits = this.#clusters.flatMap(({ replicas }) =>
      replicas.map((replica) => replica.known.breaker.waitMs(nowMs)),
    );
    const { overloadedMs } = this.#next;
    if (overloadedMs !== null) return { kind: "overloaded", retryAfterMs: overloadedMs };
    const retryAfterMs = this.#spread(waits.length === 0 ? 0 : Math.min(...waits));
    if (this.#sawBusy) return { kind: "overloaded", retryAfterMs };
    return { kind: "origin-unavailable", retryAfterMs, detail: this.#detail(waits.length) };
  }

  /** Adds up to a half at random: clients sleep as long as they are told, and those refused together would all return at once. */
  #spread(waitMs: number): number {
    return Math.round(clamp(Math.max(1000, waitMs) * (1 + this.#deps.random() / 2), 1000, mostRetryAfterMs));
  }

  #detail(replicas: number): string {
    const tried = this.#tried.join("; ");
    if (this.#last?.kind === "failed") return `${tried}: ${this.#last.detail}`;
    if (this.#last?.kind === "lacking") return `${tried}: it has no such model: ${this.#last.detail}`;
    return replicas === 0 ? "no cluster of these in the fleet" : "every replica's breaker is open";
  }

  #poll(): void {
    const { background, now, poller, pools, transport } = this.#deps;
    pools?.changed(this.#clusters, background);
    const sweep = poller.sweep(this.#clusters, transport, now, pools);
    if (sweep !== null) background.run("poll replicas", sweep);
  }
}

/** A failure that no other replica can recover from; null: another one may answer. */
function finalFailure(result: Failed, signal: LeaveSignal): OriginFailure | null {
  switch (result.kind) {
    case "rejected":
      return { kind: "origin-rejected", status: result.status, detail: result.detail };
    case "context-too-long":
      return result;
    case "gone":
      return goneFailure(signal);
    case "busy":
    case "failed":
    case "lacking":
      return null;
  }
}
