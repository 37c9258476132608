/**
 * How does an isolate keep up with one cluster's pool? After responses only, and seldom: it takes the location's snapshot from the shelf
 * where that is fresh; the one that finds it old claims it, tells the pool its own leases and puts the new one there. Beside
 * that it reports when the pool's pace says so, and sooner while others wait. Nothing on the way to an answer waits for any of it.
 */
import type { Background } from "../../contracts/background.ts";
import type { ClusterState, RouterState } from "../router-state.ts";
import { includedRequests } from "./included-requests.ts";
import { buildReport, type BuiltReport } from "./lease-report.ts";
import type { AskOutcome, ExchangeOutcome, LeaseReport, PoolAsk, PoolWithdrawal } from "./pool-protocol.ts";
import { decodeSnapshot, type CallPace, type PoolSnapshot } from "./snapshot.ts";

/** The object of one cluster. Calls may fail and may never settle, so callers set a time limit. */
export interface PoolPort {
  exchange(report: LeaseReport): Promise<ExchangeOutcome>;
  ask(ask: PoolAsk): Promise<AskOutcome>;
  withdraw(withdrawal: PoolWithdrawal): Promise<void>;
}

/** The location's copy of a cluster's snapshot, shared by its isolates. */
export interface SnapshotShelf {
  get(cluster: string): Promise<string | null>;
  put(cluster: string, snapshot: string): Promise<void>;
  /** True for about one isolate at a time: that one fetches, the others continue with the old snapshot. */
  claim(cluster: string): Promise<boolean>;
}

export interface PoolLinkOptions {
  readonly cluster: string;
  /** Names the isolate. */
  readonly source: string;
  readonly port: PoolPort;
  readonly shelf: SnapshotShelf;
  readonly state: Pick<RouterState, "inFlight" | "heard">;
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many milliseconds, in the calling request's context. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Before a pool was heard. */
const firstPace: CallPace = { refreshEveryMs: 2000, reportEveryMs: 1000, noticeEveryMs: 1000, askShare: 1 };
/** Thousands of isolates may start at once (a deployment) and must not all call at once: each first looks at the shelf at a random time within this. */
const firstLookMs = 500;
/** If the shelf is empty, the isolate that claims it waits a random time up to this: there are hundreds of locations. */
const coldRefreshMs = 2500;
/** An isolate's first own report comes at a random time within this after that. */
const firstReportMs = 30_000;
/** A meeting that is overdue by so much was lost with the request that promised it. */
const lostAfterMs = 3000;
/** A snapshot says whether there is room for so long: it is refreshed every four seconds at the least, and looked at every two. */
const freshMs = 8000;
/** The shelf is looked at at least so often while there is traffic, also where it is refreshed more seldom: that costs the pool nothing. */
const mostLookMs = 2000;
/** Clocks are not set back by more than this in normal operation. */
const setBackMs = 1000;
/** A pool that has not answered by then is out of reach. */
const unheardMs = 8000;
/** Meetings in a row that are promised without anything new. */
const maxFollowUps = 3;
/** Below this an exchange is not worth another one. */
const leastGapMs = 20;

export class PoolLink {
  readonly #options: PoolLinkOptions;
  readonly asking = new Set<number>();
  #snapshot: PoolSnapshot | null = null;
  /** The life of the pool that was told; null: none has answered yet. */
  #incarnation: string | null = null;
  #sequence = 0;
  #exchangedAtMs = Number.NEGATIVE_INFINITY;
  /** When something changed last. */
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #lookAtMs: number | null = null;
  /** When it was first needed. */
  #sinceMs = Number.POSITIVE_INFINITY;
  #reportAtMs = Number.POSITIVE_INFINITY;
  /** The pool knows what is open here, as far as this isolate knows. */
  #isTold = true;
  #followUps = 0;
  /** When a promised meeting takes place; Infinity: none is promised. */
  #meetingAtMs = Number.POSITIVE_INFINITY;

  constructor(options: PoolLinkOptions) {
    this.#options = options;
  }

  get cluster(): string {
    return this.#options.cluster;
  }

  get port(): PoolPort {
    return this.#options.port;
  }

  get source(): string {
    return this.#options.source;
  }

  /** The last snapshot, if it is recent. */
  fresh(nowMs: number): PoolSnapshot | null {
    return this.#snapshot !== null && Math.abs(nowMs - this.#snapshot.atMs) < freshMs ? this.#snapshot : null;
  }

  /** Does the pool poll its replicas, so that isolates need not? Not while it can't be reached. */
  speaks(nowMs: number): boolean {
    if (this.#snapshot !== null) return nowMs - this.#snapshot.atMs < 30_000;
    return nowMs - this.#sinceMs < unheardMs;
  }

  /**
   * Something began or ended. Promises a meeting with the pool, if none is promised soon enough: at most one background work a
   * second, whatever the traffic.
   */
  changed(cluster: ClusterState, background: Background): void {
    this.#isTold = false;
    this.#followUps = 0;
    const nowMs = this.#options.now();
    if (nowMs < this.#changedAtMs - setBackMs) this.#beginAnew();
    this.#changedAtMs = nowMs;
    this.#promise(cluster, background, this.#dueAtMs(nowMs), nowMs);
  }

  /** The clock was set back: what was noted by it lies ahead, and nothing new would be looked at until then. */
  #beginAnew(): void {
    this.#snapshot = null;
    this.#exchangedAtMs = Number.NEGATIVE_INFINITY;
    this.#lookAtMs = null;
    this.#meetingAtMs = Number.POSITIVE_INFINITY;
  }

  #promise(cluster: ClusterState, background: Background, dueMs: number, nowMs: number): void {
    if (this.#meetingAtMs <= dueMs + leastGapMs && nowMs - this.#meetingAtMs < lostAfterMs) return;
    const delayMs = Math.max(0, dueMs - nowMs);
    this.#meetingAtMs = nowMs + delayMs;
    const meet = (): Promise<void> => this.#meet(cluster).finally(() => this.#followUp(cluster, background));
    // Never within the same turn: the request that promises it is sent first.
    const waited = this.#options.sleep(delayMs).then(meet);
    background.run(`pool ${this.#options.cluster}`, waited);
  }

  /** What the pool was not told yet is told by the next report, even if nothing else begins or ends here. */
  #followUp(cluster: ClusterState, background: Background): void {
    if (this.#isTold || this.#followUps >= maxFollowUps) return;
    this.#followUps += 1;
    const nowMs = this.#options.now();
    this.#promise(cluster, background, Math.max(nowMs, this.#reportAtMs), nowMs);
  }

  #dueAtMs(nowMs: number): number {
    if (this.#lookAtMs === null) {
      this.#sinceMs = nowMs;
      this.#lookAtMs = nowMs + this.#options.random() * firstLookMs;
      this.#reportAtMs = nowMs + coldRefreshMs + this.#options.random() * firstReportMs;
    }
    const noticeAtMs = this.#isPressed(nowMs)
      ? Math.max(nowMs, this.#exchangedAtMs + this.#pace.noticeEveryMs)
      : Number.POSITIVE_INFINITY;
    return Math.min(noticeAtMs, Math.max(nowMs, Math.min(this.#lookAtMs, this.#reportAtMs)));
  }

  /** Requests wait for what may have ended here: those of others, or of this isolate. */
  #isPressed(nowMs: number): boolean {
    return this.asking.size > 0 || (this.fresh(nowMs)?.queue.waiting ?? 0) > 0;
  }

  get #pace(): CallPace {
    return this.#snapshot?.pace ?? firstPace;
  }

  async #meet(cluster: ClusterState): Promise<void> {
    const { now, random } = this.#options;
    const nowMs = now();
    // From here on what changes promises the next meeting.
    this.#meetingAtMs = Number.POSITIVE_INFINITY;
    const isNotice =
      this.#isPressed(nowMs) && nowMs - this.#exchangedAtMs >= this.#pace.noticeEveryMs - leastGapMs;
    const isReport = nowMs >= this.#reportAtMs;
    this.#lookAtMs = nowMs + Math.min(this.#pace.refreshEveryMs, mostLookMs) * (0.9 + 0.2 * random());
    if (isNotice || isReport) return this.#exchange(cluster, isReport ? "report" : "notice");
    if (await this.#findsFresh(cluster)) return undefined;
    if (!(await this.#options.shelf.claim(this.#options.cluster))) return undefined;
    if (this.#snapshot === null) {
      await this.#options.sleep(random() * coldRefreshMs);
      // Another isolate of this location was quicker.
      if (await this.#findsFresh(cluster)) return undefined;
    }
    return this.#exchange(cluster, "refresh");
  }

  /** Takes what is on the shelf. False: that is old, or there is nothing. */
  async #findsFresh(cluster: ClusterState): Promise<boolean> {
    const { now, shelf } = this.#options;
    const text = await shelf.get(this.#options.cluster);
    const shelved = text === null ? null : decodeSnapshot(text);
    // One from before a clock was set back stays there for as long.
    if (shelved === null || shelved.atMs - now() >= freshMs) return false;
    this.#adopt(shelved, cluster);
    return now() - shelved.atMs < this.#pace.refreshEveryMs;
  }

  /** What goes along with an ask. */
  reportWithAsk(cluster: ClusterState, nowMs: number): LeaseReport {
    return this.#build(cluster, "ask", nowMs).report;
  }

  #build(cluster: ClusterState, reason: LeaseReport["reason"], nowMs: number): BuiltReport {
    const { source, state } = this.#options;
    this.#sequence += 1;
    return buildReport({
      source,
      sequence: this.#sequence,
      reason,
      replicas: cluster.replicas,
      inFlight: state.inFlight,
      asking: this.asking,
      nowMs,
    });
  }

  async #exchange(cluster: ClusterState, reason: LeaseReport["reason"]): Promise<void> {
    const { port, shelf, now, random } = this.#options;
    const nowMs = now();
    this.#isTold = true;
    this.#exchangedAtMs = nowMs;
    // Every call reports everything, so the next own report is not due for a while.
    this.#reportAtMs = nowMs + this.#pace.reportEveryMs * (0.9 + 0.2 * random());
    const { report, told } = this.#build(cluster, reason, nowMs);
    const outcome = await port.exchange(report).catch((error: unknown) => {
      this.#isTold = false;
      throw error;
    });
    if (outcome.result !== "taken") throw new Error(`the pool understands version ${outcome.supported} only`);
    const snapshot = decodeSnapshot(outcome.snapshot);
    if (snapshot === null) throw new Error("the pool's snapshot can't be read");
    this.#noticeRestart(snapshot, cluster);
    for (const held of told) held.knownAtMs = Math.min(held.knownAtMs, outcome.atMs);
    this.#adopt(snapshot, cluster);
    if (reason !== "notice") await shelf.put(this.#options.cluster, outcome.snapshot);
  }

  /** True: the pool lost its memory since it was heard last. What the one before was told is then not known to it. */
  #noticeRestart({ incarnation }: PoolSnapshot, cluster: ClusterState): boolean {
    const before = this.#incarnation;
    this.#incarnation = incarnation;
    if (before === null || before === incarnation) return false;
    const here = new Set(cluster.replicas.map(({ known }) => known.occupancy));
    for (const held of this.#options.state.inFlight.held())
      if (here.has(held.occupancy)) held.knownAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  #adopt(snapshot: PoolSnapshot, cluster: ClusterState): void {
    if (this.#snapshot !== null && snapshot.atMs <= this.#snapshot.atMs) return;
    const { now, random, state } = this.#options;
    const isAnother = this.#noticeRestart(snapshot, cluster);
    this.#snapshot = snapshot;
    this.#reportAtMs = Math.max(this.#reportAtMs, this.#exchangedAtMs + this.#pace.reportEveryMs);
    if (isAnother) {
      this.#isTold = false;
      // What is open here is to be told anew. All isolates hear of it at about the same time, as when all begin.
      this.#reportAtMs = Math.min(this.#reportAtMs, now() + random() * firstReportMs);
    }
    state.heard(snapshot);
    const views = new Map(snapshot.replicas.map((view) => [view.id, view]));
    const owned = includedRequests(state.inFlight, snapshot, cluster);
    for (const { id, known } of cluster.replicas) {
      const view = views.get(id);
      const own = owned.get(known.occupancy);
      known.pooled =
        view === undefined
          ? null
          : {
              view,
              atMs: snapshot.atMs,
              ownRequests: own?.requests ?? 0,
              ownTokens: own?.tokens ?? 0,
            };
    }
  }
}
