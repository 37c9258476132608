/**
 * Which replica does this request go to next, and how long does it wait where none may be asked at once? Remembers what was tried;
 * choose.ts does the choosing.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Failed } from "./ask-replica.ts";
import { choose, homeKeyOf, type Wanted } from "./choice/choose.ts";
import { coordinates } from "./choice/distance.ts";
import { askForPlace, passAtOnce } from "./pool/admission-gate.ts";
import { clientRegion } from "./pool/client-region.ts";
import { isWanted } from "./pool/pooled-view.ts";
import type { OriginRequest } from "./ports.ts";
import type { OriginRouterDeps } from "./router-deps.ts";
import type { ClusterState, ReplicaState } from "./router-state.ts";
import { spareRoomRetryMs, withSpareRoom } from "./spare-room.ts";

/** A busy replica is waited for within the request where its wait is at most this. */
const maxBusyWaitMs = 1000;
/** How long a request may wait in all for a replica that may be asked, where none may at once. */
const maxStandstillMs = 1000;
/** How often it looks again meanwhile: another request's success may have closed a breaker. */
const standstillStepMs = 100;

export class NextReplica {
  readonly #deps: OriginRouterDeps;
  readonly #clusters: readonly ClusterState[];
  readonly #request: OriginRequest;
  readonly #wanted: Wanted;
  readonly #signal: LeaveSignal;
  readonly #endMs: number;
  #tried: ReplicaState[] = [];
  #hasAsked = false;
  #standstillMs = 0;
  #leaseNumber: number | undefined = undefined;
  #overloadedMs: number | null = null;

  constructor(
    deps: OriginRouterDeps,
    clusters: readonly ClusterState[],
    request: OriginRequest,
    signal: LeaveSignal,
    endMs: number,
  ) {
    this.#deps = deps;
    this.#clusters = clusters;
    this.#request = request;
    this.#signal = signal;
    this.#endMs = endMs;
    const replicas = clusters.reduce((sum, cluster) => sum + cluster.replicas.length, 0);
    this.#wanted = wantedBy(request, replicas, deps);
    // They were asked already: again only in a second round, when no other replica is left.
    for (const failed of request.goesOnFrom ?? [])
      for (const { replicas } of clusters)
        for (const replica of replicas)
          if (replica.cluster === failed.cluster && replica.id === failed.replica) this.#tried.push(replica);
    // So are those that said a moment ago that they don't have the model.
    for (const replica of this.#lacking()) if (!this.#tried.includes(replica)) this.#tried.push(replica);
  }

  #lacking(): ReplicaState[] {
    return this.#deps.state.lacking.among(this.#clusters, this.#request, this.#deps.now());
  }

  /** No replica that may be asked has the model. */
  get allLack(): boolean {
    const lacking = this.#lacking();
    return this.#clusters.every(({ replicas }) =>
      replicas.every((replica) => lacking.includes(replica) || !isAllowed(replica)),
    );
  }

  /** Every replica was asked in this round, except those that an admin took out. */
  get allTried(): boolean {
    return this.#clusters.every(({ replicas }) => !replicas.some((replica) => this.#isLeft(replica)));
  }

  #isLeft(replica: ReplicaState): boolean {
    return isAllowed(replica) && !this.#tried.includes(replica);
  }

  /** Of the lease that a pool granted for the replica that was given last; a lease is taken once. */
  takeLeaseNumber(): number | undefined {
    const number = this.#leaseNumber;
    this.#leaseNumber = undefined;
    return number;
  }

  /** Everything was busy and the queue gave no place; when to come back. */
  get overloadedMs(): number | null {
    return this.#overloadedMs;
  }

  asked(replica: ReplicaState): void {
    this.#hasAsked = true;
    this.#tried.push(replica);
  }

  /** When all were tried and the soonest of them is busy for a moment only, that moment; else 0. */
  busyWaitMs(last: Failed | null): number {
    if (!this.allTried || last?.kind !== "busy") return 0;
    const nowMs = this.#deps.now();
    const waitMs = Math.min(...this.#tried.map((replica) => replica.known.breaker.waitMs(nowMs)));
    return waitMs <= maxBusyWaitMs ? waitMs : 0;
  }

  /**
   * The next replica. Where every breaker is open (all were killed and are back, say) each lets a request in now and then, and
   * the first that succeeds lets in all: so a request waits a moment for that, rather than be refused at once.
   */
  async inTime(last: Failed | null): Promise<ReplicaState | null> {
    this.#leaseNumber = undefined;
    const { pools, now } = this.#deps;
    if (this.#yields) return this.#spare(last);
    // A continuation was admitted once already: it does not queue again.
    if (pools !== undefined && this.#request.goesOnFrom === undefined) {
      const passage =
        passAtOnce(this.#clusters, this.#tried, pools, this.#deps) ??
        (await askForPlace(
          this.#clusters,
          this.#tried,
          this.#request,
          this.#endMs - now(),
          this.#signal,
          pools,
          this.#deps,
        ));
      if (this.#signal.aborted) return null;
      if (passage.kind === "granted") {
        this.#leaseNumber = passage.number;
        return passage.replica;
      }
      if (passage.kind === "overloaded") {
        this.#overloadedMs = passage.retryAfterMs;
        return null;
      }
    }
    for (;;) {
      // An answer goes on but a few times: not where it broke off, as long as the breaker of another lets it in within a moment.
      const waits = this.#request.goesOnFrom !== undefined && this.#pauseMs() !== null;
      const next = waits ? this.#choose() : this.atOnce(last);
      if (next !== null) return next;
      const pauseMs = this.#pauseMs();
      if (pauseMs === null) return null;
      this.#standstillMs += pauseMs;
      await this.#deps.wait(pauseMs);
      if (this.#signal.aborted) return null;
    }
  }

  /** A continuation takes its place like others, but is not dropped for lack of room. */
  get #yields(): boolean {
    return this.#request.yields === true && this.#request.goesOnFrom === undefined;
  }

  /** A replica with spare capacity, or none: the rest is for requests that people wait for. */
  #spare(last: Failed | null): ReplicaState | null {
    const next = this.atOnce(last);
    if (next === null) this.#overloadedMs = spareRoomRetryMs;
    return next;
  }

  /** As `inTime`, without the wait. */
  atOnce(last: Failed | null): ReplicaState | null {
    const next = this.#choose();
    if (next !== null || this.#tried.length === 0) return next;
    // All were tried once. A second round is worth it where a replica may have been unlucky, not where it was too slow.
    if (last?.kind === "failed" && last.reason === "first-byte-timeout") return null;
    // A model that no replica had is asked for once more: it may have been loaded since.
    this.#tried = this.#hasAsked ? this.#lacking() : [];
    return this.#choose();
  }

  /** A replica that was not asked yet, for a request that is under way elsewhere. */
  other(): ReplicaState | null {
    return this.#choose();
  }

  #choose(): ReplicaState | null {
    const { now, random, state } = this.#deps;
    const { zones } = state;
    const nowMs = now();
    const clusters = this.#yields ? withSpareRoom(this.#clusters, nowMs) : this.#clusters;
    return choose(clusters, this.#wanted, { tried: this.#tried, zones, nowMs, random });
  }

  /** `null`: nothing to wait for. */
  #pauseMs(): number | null {
    const { now, random } = this.#deps;
    const nowMs = now();
    const untried = this.#clusters.flatMap(({ replicas }) =>
      replicas.filter((replica) => this.#isLeft(replica)),
    );
    const soonestMs = Math.min(...untried.map(({ known }) => known.breaker.askableInMs(nowMs)));
    if (soonestMs > maxStandstillMs - this.#standstillMs) return null;
    const pauseMs = Math.max(1, Math.min(soonestMs, standstillStepMs)) + random() * 20;
    return nowMs + pauseMs < this.#endMs ? pauseMs : null;
  }
}

/** Without those that an admin took out. */
function isAllowed({ known: { pooled } }: ReplicaState): boolean {
  return pooled === null || isWanted(pooled);
}

function wantedBy(request: OriginRequest, replicas: number, { state }: OriginRouterDeps): Wanted {
  const { model, promptTokens, tokens, affinity, place } = request;
  return {
    model,
    from: coordinates(place),
    region: clientRegion(place),
    promptTokens,
    tokens,
    homeKey: affinity === null || replicas < 2 ? null : homeKeyOf(affinity, state.heat, replicas),
  };
}
