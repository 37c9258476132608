/**
 * What does a pool know of one replica? Who it is, what admins want of it, how the last poll found it, what began and ended
 * there since, how fast it is. From all of this follow its view for isolates and its free places for the queue.
 */
import { hasPassed } from "../elapsed.ts";
import { Breaker, failureWeights, type FailureReason } from "../breaker.ts";
import { LearnedLatency } from "./learned-latency.ts";
import type { LeaseMove, ReplicaTally } from "./lease-ledger.ts";
import type { ReplicaOutcomes } from "./pool-protocol.ts";
import type { ReplicaStanding, ReplicaView } from "./snapshot.ts";

/** From the fleet document, or from the admin call by which it joined. */
export interface MemberConfig {
  readonly id: string;
  readonly slots: number;
  readonly zone: string | null;
  /** Null: the fleet document says how it is reached. */
  readonly url: string | null;
}

/** What an admin wants of it. */
export interface MemberWish {
  readonly state: "active" | "draining" | "disabled";
  readonly weight: number;
}
export const usualWish: MemberWish = { state: "active", weight: 1 };

/** What a poll found. `null`: unknown, which is not idle. */
export interface PollFinding {
  readonly isAlive: boolean;
  readonly running: number | null;
  readonly waiting: number | null;
  readonly kvUsage: number | null;
  /** Tokens of prompts and answers that it has ever worked off. */
  readonly workedTokens: number | null;
}

/** A newcomer gets a tenth of its share at first, and all of it after so long: its caches are cold, its health unproven. */
export const slowStartMs = 30_000;
const leastShare = 0.1;
/** Engine numbers older than this say nothing; the leases speak alone. */
const polledTtlMs = 10_000;
/** The greatest throughput that was seen counts half after so long. */
const throughputHalfLifeMs = 600_000;
/** Outcomes of one report that a breaker hears one by one. */
const maxOutcomes = 50;

interface Polled {
  readonly atMs: number;
  readonly there: number;
  readonly kvUsage: number | null;
  /** Begun and ended there since; fractions, where only the odds are known. */
  begun: number;
  ended: number;
}

export class ReplicaRecord {
  config: MemberConfig;
  wish: MemberWish = usualWish;
  /** The last heartbeat of a joined replica; null for those of the fleet document. */
  heartbeatAtMs: number | null = null;
  readonly breaker = new Breaker();
  readonly startedAtMs: number;
  readonly latency = new LearnedLatency();
  polledAtMs = Number.NEGATIVE_INFINITY;
  isAlive: boolean | null = null;
  #polled: Polled | null = null;
  #worked: { readonly atMs: number; readonly tokens: number } | null = null;
  #throughput: { readonly atMs: number; readonly perSecond: number } | null = null;

  /** @param startedAtMs 0: it was there when the pool began, and needs no slow start */
  constructor(config: MemberConfig, startedAtMs: number) {
    this.config = config;
    this.startedAtMs = startedAtMs;
  }

  /** A lease of this replica began or ended. */
  moved({ change, atMs, startedAtMs }: LeaseMove, nowMs: number): void {
    const polled = this.#polled;
    if (polled === null) return;
    if (change === 1) {
      if (atMs > polled.atMs) polled.begun += 1;
      return;
    }
    if (startedAtMs > polled.atMs) polled.begun = Math.max(0, polled.begun - 1);
    // Ended at some time since `atMs`: how likely is it that the poll has seen it still?
    else polled.ended += Math.min(1, (nowMs - polled.atMs) / Math.max(1, nowMs - atMs));
  }

  found(finding: PollFinding, nowMs: number): void {
    this.polledAtMs = nowMs;
    this.isAlive = finding.isAlive;
    if (!finding.isAlive) {
      this.breaker.failure("refused", nowMs);
      this.#polled = null;
      this.#worked = null;
      return;
    }
    this.breaker.polledWell(nowMs);
    const { running, waiting, kvUsage, workedTokens } = finding;
    this.#polled =
      running === null ? null : { atMs: nowMs, there: running + (waiting ?? 0), kvUsage, begun: 0, ended: 0 };
    this.#learnThroughput(workedTokens, nowMs);
  }

  /** Outcomes that isolates reported. */
  heard({ successes, failures, firstByte }: ReplicaOutcomes, nowMs: number): void {
    let good = Math.min(successes, maxOutcomes);
    for (const [told, count] of Object.entries(failures))
      for (let at = 0; at < Math.min(count, maxOutcomes); at += 1) {
        this.breaker.failure(isReason(told) ? told : "status", nowMs);
        // One good beside each bad one: the report does not tell their order.
        if (good > 0 && this.breaker.state(nowMs) === "closed") {
          this.breaker.success(nowMs);
          good -= 1;
        }
      }
    // A good end that was on its way while the breaker opened does not close it: time and a trial do.
    for (; good > 0 && this.breaker.state(nowMs) !== "open"; good -= 1) this.breaker.success(nowMs);
    if (firstByte !== null) this.latency.heard(firstByte.region, firstByte.ms, nowMs);
  }

  /** Requests there, running and waiting: the engine's own count, moved on by what is known since; or the leases alone. */
  there(tally: Readonly<ReplicaTally>, nowMs: number): number {
    const polled = this.#fresh(nowMs);
    if (polled === null) return tally.leases;
    return Math.max(0, Math.round(polled.there + polled.begun - polled.ended));
  }

  /** Whether requests may go there at all. */
  isOffered(nowMs: number): boolean {
    return this.standing(nowMs) === "active" && this.wish.weight > 0 && this.breaker.state(nowMs) !== "open";
  }

  /** Requests that it may run at once now: fewer while it starts, and one while its breaker is half-open. */
  places(nowMs: number): number {
    if (this.#isOnTrial(nowMs)) return 1;
    return Math.max(1, Math.floor(this.config.slots * this.#started(nowMs)));
  }

  /** How many more it can take before they would wait in the engine. */
  freePlaces(tally: Readonly<ReplicaTally>, nowMs: number): number {
    return this.isOffered(nowMs) ? Math.max(0, this.places(nowMs) - this.there(tally, nowMs)) : 0;
  }

  standing(nowMs: number): ReplicaStanding {
    if (this.wish.state !== "active") return this.wish.state;
    return this.heartbeatAtMs !== null && nowMs - this.heartbeatAtMs >= heartbeatTtlMs ? "lost" : "active";
  }

  view(tally: Readonly<ReplicaTally>, nowMs: number): ReplicaView {
    const { id, slots, zone, url } = this.config;
    const there = this.there(tally, nowMs);
    const running = Math.min(there, slots);
    const polled = this.#fresh(nowMs);
    // Requests of others bring work, too: each as much as one of ours.
    const perLease = tally.leases === 0 ? 0 : tally.tokens / tally.leases;
    return {
      id,
      state: this.standing(nowMs),
      slots,
      running,
      waiting: there - running,
      polledAtMs: polled?.atMs ?? null,
      leases: tally.leases,
      queuedTokens: Math.round(Math.max(tally.tokens, perLease * there)),
      throughput: this.#throughputNow(nowMs),
      kvUsage: polled?.kvUsage ?? null,
      breaker: this.breaker.state(nowMs),
      // Thousands of isolates may have no breaker of their own against it: half-open for all of them is a trial of few.
      weight: this.wish.weight * (this.#isOnTrial(nowMs) ? leastShare : this.#started(nowMs)),
      startedAtMs: this.startedAtMs,
      zone,
      latencyMs: this.latency.believed,
      url,
    };
  }

  #isOnTrial(nowMs: number): boolean {
    return this.breaker.state(nowMs) === "half-open";
  }

  #started(nowMs: number): number {
    if (this.startedAtMs === 0) return 1;
    const share = (nowMs - this.startedAtMs) / slowStartMs;
    return Math.min(1, Math.max(leastShare, share));
  }

  #fresh(nowMs: number): Polled | null {
    return this.#polled !== null && !hasPassed(this.#polled.atMs, nowMs, polledTtlMs) ? this.#polled : null;
  }

  /** The greatest that was seen lately: a replica with little to do is not slow. */
  #learnThroughput(tokens: number | null, nowMs: number): void {
    const before = this.#worked;
    this.#worked = tokens === null ? null : { atMs: nowMs, tokens };
    // Less than before: the engine was started anew.
    if (before === null || tokens === null || tokens <= before.tokens || nowMs - before.atMs < 100) return;
    const perSecond = ((tokens - before.tokens) / (nowMs - before.atMs)) * 1000;
    if (perSecond > (this.#throughputNow(nowMs) ?? 0)) this.#throughput = { atMs: nowMs, perSecond };
  }

  #throughputNow(nowMs: number): number | null {
    if (this.#throughput === null) return null;
    const { atMs, perSecond } = this.#throughput;
    return perSecond * 2 ** (-Math.max(0, nowMs - atMs) / throughputHalfLifeMs);
  }
}

/** Isolates of newer code may know others: those weigh as a usual failure does. */
function isReason(text: string): text is FailureReason {
  return Object.hasOwn(failureWeights, text);
}

/** How often a joined replica must send a heartbeat. */
export const heartbeatTtlMs = 90_000;
