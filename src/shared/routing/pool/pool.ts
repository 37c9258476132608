/**
 * One cluster's pool: leases ▸ polls ▸ breakers ▸ snapshot, and the queue where everything is busy. All decisions, no I/O: the
 * object around it (durable-objects/origin-pool) brings the clock, the network and the waiting calls.
 */
import { hasPassed } from "../elapsed.ts";
import { AdmissionQueue, type Waiting } from "./admission-queue.ts";
import { CallMeter } from "./call-pace.ts";
import { LeaseLedger } from "./lease-ledger.ts";
import { Members } from "./members.ts";
import type { AskOutcome, LeaseReport, PoolAsk, PoolWithdrawal } from "./pool-protocol.ts";
import { Rate } from "./rate.ts";
import type { ReplicaRecord } from "./replica-record.ts";
import type { PoolSnapshot, QueueView } from "./snapshot.ts";

/** A request's wait is over. */
export interface Decision {
  readonly key: string;
  readonly outcome: AskOutcome;
}

/** Released in one go, as a batch of inference would be; what is left follows at once. */
const releasedAtOnce = 8;
/** How often it looks again while requests wait: only a bound, in case a notice is lost. */
export const tickMs = 50;
/** The longest wait, whatever is asked for. */
export const maxWaitMs = 30_000;
const leastQueue = 64;
/** The queue holds this many requests for each place. */
const queuedPerPlace = 2;
const leastRetryMs = 1000;
const mostRetryMs = 30_000;
const ageEveryMs = 1000;

export interface PoolOptions {
  readonly cluster: string;
  /** Random, new with each life of the object. */
  readonly incarnation: string;
  readonly random: () => number;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly members = new Members();
  readonly #ledger: LeaseLedger;
  readonly #queue = new AdmissionQueue();
  readonly #meter = new CallMeter();
  readonly #ends = new Rate(5000);
  #nowMs = 0;
  #agedAtMs = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#ledger = new LeaseLedger((move) => {
      if (move.change === -1) this.#ends.add(this.#nowMs);
      this.members.get(move.replica)?.moved(move, this.#nowMs);
    });
  }

  get leases(): number {
    return this.#ledger.size;
  }

  get sources(): number {
    return this.#ledger.sources;
  }

  get queue(): Pick<AdmissionQueue, "size" | "tokens" | "all"> {
    return this.#queue;
  }

  tally(replica: string): { readonly leases: number; readonly tokens: number } {
    return this.#ledger.at(replica);
  }

  /** Takes in an isolate's report. Returns the requests that it releases. */
  report(report: LeaseReport, nowMs: number): Decision[] {
    this.#nowMs = nowMs;
    this.#meter.called(report.reason, nowMs);
    if (this.#ledger.apply(report, nowMs))
      for (const outcomes of report.outcomes) this.members.get(outcomes.replica)?.heard(outcomes, nowMs);
    const left: Decision[] = [];
    // A request that its own isolate no longer knows does not wait.
    for (const { key, source, number } of this.#queue.all())
      if (source === report.source && this.#ledger.isOver(source, number)) left.push(withdrawn(key));
    for (const { key } of left) this.#queue.remove(key);
    return [...left, ...this.#release(nowMs)];
  }

  /** Asks for a replica. The decision on the asker may be among those returned, or come later. */
  ask(ask: PoolAsk, nowMs: number): Decision[] {
    this.#nowMs = nowMs;
    const { source, number } = ask;
    const key = keyOf(ask);
    if (ask.report === null) this.#meter.called("ask", nowMs);
    const released = ask.report === null ? [] : this.report(ask.report, nowMs);
    return [...released, ...this.#askFor(ask, key, source, number, nowMs)];
  }

  #askFor(ask: PoolAsk, key: string, source: string, number: number, nowMs: number): Decision[] {
    const granted = this.#ledger.replicaOf(source, number);
    if (granted !== null) return [{ key, outcome: { result: "granted", replica: granted } }];
    if (this.#ledger.isOver(source, number)) return [withdrawn(key)];
    if (this.#queue.has(key)) return [];
    if (
      !this.members
        .all()
        .some((record) => record.isOffered(nowMs) && !ask.excluded.includes(record.config.id))
    )
      return [{ key, outcome: { result: "none-offered" } }];
    const entry: Waiting = {
      key,
      source,
      number,
      tenant: ask.tenant,
      tier: ask.tier,
      model: ask.model,
      tokens: Math.max(1, ask.tokens),
      excluded: ask.excluded,
      sinceMs: nowMs,
      untilMs: nowMs + Math.min(maxWaitMs, Math.max(0, ask.maxWaitMs)),
    };
    const gone = this.#queue.join(entry, this.#maxWaiting());
    const decisions = this.#release(nowMs);
    if (gone !== null) decisions.push(this.#overloaded(gone.key, nowMs));
    return decisions;
  }

  /** A place in the queue is given up, or a granted lease has ended. */
  withdraw({ source, number }: PoolWithdrawal, nowMs: number): Decision[] {
    this.#nowMs = nowMs;
    this.#meter.called("withdraw", nowMs);
    const removed = this.#queue.remove(keyOf({ source, number }));
    this.#ledger.end(source, number, nowMs);
    return [...(removed === null ? [] : [withdrawn(removed.key)]), ...this.#release(nowMs)];
  }

  /** Time has passed, or a poll came in: which requests can go, and whose wait is over? */
  tick(nowMs: number): Decision[] {
    this.#nowMs = nowMs;
    if (hasPassed(this.#agedAtMs, nowMs, ageEveryMs)) {
      this.#agedAtMs = nowMs;
      this.#ledger.expire(nowMs);
      this.members.fadeLatencies(nowMs);
    }
    const decisions = this.#release(nowMs);
    for (const { key } of this.#queue.takeExpired(nowMs)) decisions.push(this.#overloaded(key, nowMs));
    return decisions;
  }

  snapshot(nowMs: number): PoolSnapshot {
    this.#nowMs = nowMs;
    const { cluster, incarnation } = this.#options;
    return {
      cluster,
      incarnation,
      atMs: nowMs,
      pace: this.#meter.pace(this.#ledger.sources, nowMs),
      queue: this.queueView(nowMs),
      replicas: this.members.all().map((record) => record.view(this.#ledger.at(record.config.id), nowMs)),
    };
  }

  queueView(nowMs: number): QueueView {
    return {
      waiting: this.#queue.size,
      maxWaiting: this.#maxWaiting(),
      waitingTokens: this.#queue.tokens,
      expectedWaitMs: this.#expectedWaitMs(nowMs),
    };
  }

  /** Releases as many as there are places, in groups of `releasedAtOnce`, in the order of fairness. */
  #release(nowMs: number): Decision[] {
    const decisions: Decision[] = [];
    while (this.#queue.size > 0) {
      const group = this.#releaseGroup(nowMs);
      decisions.push(...group);
      if (group.length < releasedAtOnce) break;
    }
    return decisions;
  }

  #releaseGroup(nowMs: number): Decision[] {
    const free = this.#freePlaces(nowMs);
    const group: Decision[] = [];
    // Without a place the queue is not searched: it may be thousands long.
    const most = Math.min(
      releasedAtOnce,
      [...free.values()].reduce((sum, places) => sum + places, 0),
    );
    while (group.length < most) {
      const entry = this.#queue.take(({ excluded }) => freest(free, excluded) !== null);
      const record = entry === null ? null : freest(free, entry.excluded);
      if (entry === null || record === null) break;
      const { id } = record.config;
      this.#ledger.grant(entry.source, entry.number, id, entry.tokens, nowMs);
      free.set(record, (free.get(record) ?? 0) - 1);
      group.push({ key: entry.key, outcome: { result: "granted", replica: id } });
    }
    return group;
  }

  #freePlaces(nowMs: number): Map<ReplicaRecord, number> {
    const free = new Map<ReplicaRecord, number>();
    const records = this.members.all();
    // From another one each time: of equally free ones the first is taken.
    const from = Math.floor(this.#options.random() * records.length);
    for (let at = 0; at < records.length; at += 1) {
      const record = records[(from + at) % records.length];
      const places = record?.freePlaces(this.#ledger.at(record.config.id), nowMs) ?? 0;
      if (record !== undefined && places > 0) free.set(record, places);
    }
    return free;
  }

  #maxWaiting(): number {
    const places = this.members.all().reduce((sum, { config }) => sum + config.slots, 0);
    return Math.max(leastQueue, places * queuedPerPlace);
  }

  #expectedWaitMs(nowMs: number): number {
    const waiting = this.#queue.size;
    if (waiting === 0) return 0;
    const perSecond = this.#ends.perSecond(nowMs);
    return perSecond === 0 ? mostRetryMs : Math.min(mostRetryMs, (waiting / perSecond) * 1000);
  }

  #overloaded(key: string, nowMs: number): Decision {
    const retryAfterMs = Math.max(leastRetryMs, this.#expectedWaitMs(nowMs));
    return { key, outcome: { result: "overloaded", retryAfterMs: Math.round(retryAfterMs) } };
  }
}

export function keyOf({ source, number }: { readonly source: string; readonly number: number }): string {
  return `${source} ${number}`;
}

function withdrawn(key: string): Decision {
  return { key, outcome: { result: "withdrawn" } };
}

/** The one with the greatest share of its places free, of those that were not tried. */
function freest(free: ReadonlyMap<ReplicaRecord, number>, excluded: readonly string[]): ReplicaRecord | null {
  let best: ReplicaRecord | null = null;
  let bestShare = 0;
  for (const [record, places] of free) {
    const share = places / record.config.slots;
    if (places < 1 || share <= bestShare || excluded.includes(record.config.id)) continue;
    best = record;
    bestShare = share;
  }
  return best;
}
