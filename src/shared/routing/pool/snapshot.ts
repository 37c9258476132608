/**
 * What does an isolate route from? A small picture of one cluster, made by its OriginPool object: how busy each replica is, who may
 * be asked, how long the queue is, and how often the isolate may come back. Shared by all isolates of a location through a
 * cache entry; usable for 30 s with decaying confidence (`confidence` in ../load.ts).
 */
import type { BreakerState } from "../breaker.ts";

/** The most bytes with 128 replicas; regions are left out to stay below. */
export const maxSnapshotBytes = 32_768;
const maxRegions = 16;

/**
 * `active`: takes requests. `draining`, `disabled`: takes none by an admin's word (draining: what runs there may end). `lost`: it
 * joined by an admin call and its heartbeat stopped.
 */
export type ReplicaStanding = "active" | "draining" | "disabled" | "lost";

/** One replica as its pool sees it. Plain numbers: nothing in here changes once it is made. */
export interface ReplicaView {
  readonly id: string;
  readonly state: ReplicaStanding;
  /** Requests that it runs at once before they queue. */
  readonly slots: number;
  /** Requests there now, running and waiting in the engine: the last poll, corrected by the leases that began and ended since. */
  readonly running: number;
  readonly waiting: number;
  /** When the engine's own numbers were read (the pool's clock, ms); null: unknown, only leases speak, so it may be busier. */
  readonly polledAtMs: number | null;
  /** Requests of ours in flight there, as the isolates reported them. */
  readonly leases: number;
  /** Tokens of prompt and answer of those requests that are still to be worked off. */
  readonly queuedTokens: number;
  /** Tokens a second that it works off when busy, as observed; null: not observed yet. */
  readonly throughput: number | null;
  /** Share of the key-value cache in use, 0 to 1; null: unknown. */
  readonly kvUsage: number | null;
  /** By the outcomes of all isolates and the polls. */
  readonly breaker: BreakerState;
  /** Share of traffic against its peers: an admin's weight times the slow start, 0 to 10. 1 is usual, 0 takes nothing. */
  readonly weight: number;
  /** Since when it takes part (ms since 1970); it starts slowly. 0: it was there when the pool began. */
  readonly startedAtMs: number;
  /** What fails together with it; null: not stated. */
  readonly zone: string | null;
  /** Least milliseconds from the router to its first byte, by where the client is (`clientRegion`); learned, so most are absent. */
  readonly latencyMs: ReadonlyMap<string, number>;
  /** Of a replica that joined by an admin call; null: it is in the fleet document. */
  readonly url: string | null;
}

/** How often an isolate may call the pool, so that the pool sees a bounded number of calls whatever their number. */
export interface CallPace {
  /** A location's snapshot is fetched anew after so long. */
  readonly refreshEveryMs: number;
  /** An isolate that is not the one to refresh reports its leases so often. */
  readonly reportEveryMs: number;
  /** How often an isolate reports ended requests while others wait in the queue. */
  readonly noticeEveryMs: number;
  /** Share of the requests that find everything busy which may ask for a place in the queue; the others go by the snapshot. */
  readonly askShare: number;
}

export interface QueueView {
  readonly waiting: number;
  readonly maxWaiting: number;
  readonly waitingTokens: number;
  /** How long a request that joins now would wait, in milliseconds. */
  readonly expectedWaitMs: number;
}

export interface PoolSnapshot {
  readonly cluster: string;
  /** Random, new whenever the object lost its memory. */
  readonly incarnation: string;
  /** When it was made, by the pool's clock. */
  readonly atMs: number;
  readonly pace: CallPace;
  readonly queue: QueueView;
  readonly replicas: readonly ReplicaView[];
}

const standings = ["active", "draining", "disabled", "lost"] as const;
const breakers = ["closed", "half-open", "open"] as const;

/** A replica in a fixed order: names would be most of the text. */
type Row = readonly [
  id: string,
  /** Index into `standings` + 4 × index into `breakers`. */
  codes: number,
  slots: number,
  running: number,
  waiting: number,
  /** Age of the poll. */
  polledAgoMs: number | null,
  leases: number,
  queuedTokens: number,
  throughput: number | null,
  kvUsage: number | null,
  weight: number,
  startedAtMs: number,
  /** Index into the zones, or -1. */
  zone: number,
  /** In the order of the regions; -1: not learned. */
  latencies: readonly number[],
  url: string | null,
];

interface Wire {
  readonly v: 1;
  readonly cluster: string;
  readonly incarnation: string;
  readonly at: number;
  readonly pace: readonly [number, number, number, number];
  readonly queue: readonly [number, number, number, number];
  readonly zones: readonly string[];
  readonly regions: readonly string[];
  readonly rows: readonly Row[];
}

/**
 * Newer code may have added members, and places behind those of a row. Every isolate reads one a second: a schema's parser would cost it
 * ten times the reading (measured with 128 replicas).
 */
function isWire(value: unknown): value is Wire {
  if (typeof value !== "object" || value === null) return false;
  const { v, cluster, incarnation, at, pace, queue, zones, regions, rows } = value as Record<string, unknown>;
  return (
    v === 1 &&
    typeof cluster === "string" &&
    typeof incarnation === "string" &&
    typeof at === "number" &&
    startsWithNumbers(pace, 4) &&
    startsWithNumbers(queue, 4) &&
    Array.isArray(zones) &&
    Array.isArray(regions) &&
    Array.isArray(rows) &&
    rows.every(isRow)
  );
}

function isRow(row: unknown): boolean {
  if (!Array.isArray(row) || row.length < 15) return false;
  const [id, codes, slots, running, waiting, polledAgoMs, leases, queuedTokens, throughput, kvUsage] =
    row as unknown[];
  const [, , , , , , , , , , weight, startedAtMs, zone, latencies, url] = row as unknown[];
  return (
    typeof id === "string" &&
    isCount(codes) &&
    isCount(slots) &&
    isCount(running) &&
    isCount(waiting) &&
    (polledAgoMs === null || isCount(polledAgoMs)) &&
    isCount(leases) &&
    isCount(queuedTokens) &&
    (throughput === null || isCount(throughput)) &&
    (kvUsage === null || isCount(kvUsage)) &&
    isCount(weight) &&
    isCount(startedAtMs) &&
    typeof zone === "number" &&
    isNumbers(latencies) &&
    (url === null || typeof url === "string")
  );
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

function startsWithNumbers(value: unknown, count: number): value is readonly number[] {
  return Array.isArray(value) && value.length >= count && isNumbers(value.slice(0, count));
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === "number");
}

/** Its text, for the wire and the cache: rows of numbers, at most `maxSnapshotBytes` for 128 replicas. */
export function encodeSnapshot(snapshot: PoolSnapshot): string {
  for (let regions = maxRegions; ; regions = Math.floor(regions / 2)) {
    const text = encodeWith(snapshot, regions);
    if (text.length <= maxSnapshotBytes || regions === 0) return text;
  }
}

function encodeWith(snapshot: PoolSnapshot, regionCount: number): string {
  const { cluster, incarnation, atMs, pace, queue, replicas } = snapshot;
  const regions = commonRegions(replicas).slice(0, regionCount);
  const zones = [...new Set(replicas.flatMap(({ zone }) => zone ?? []))];
  const rows = replicas.map((view): Row => {
    const latencies = regions.map((region) => Math.round(view.latencyMs.get(region) ?? -1));
    while (latencies.at(-1) === -1) latencies.pop();
    return [
      view.id,
      standings.indexOf(view.state) + standings.length * breakers.indexOf(view.breaker),
      view.slots,
      Math.round(view.running),
      Math.round(view.waiting),
      view.polledAtMs === null ? null : Math.max(0, Math.round(atMs - view.polledAtMs)),
      view.leases,
      Math.round(view.queuedTokens),
      view.throughput === null ? null : Math.round(view.throughput),
      view.kvUsage === null ? null : inThousandths(view.kvUsage),
      inThousandths(view.weight),
      view.startedAtMs,
      view.zone === null ? -1 : zones.indexOf(view.zone),
      latencies,
      view.url,
    ];
  });
  return JSON.stringify({
    v: 1,
    cluster,
    incarnation,
    at: atMs,
    pace: [pace.refreshEveryMs, pace.reportEveryMs, pace.noticeEveryMs, inThousandths(pace.askShare)],
    queue: [
      queue.waiting,
      queue.maxWaiting,
      Math.round(queue.waitingTokens),
      Math.round(queue.expectedWaitMs),
    ],
    zones,
    regions,
    rows,
  } satisfies Wire);
}

/** The snapshot in a text; null if it is not one, or of a version that this code does not know. */
export function decodeSnapshot(text: string): PoolSnapshot | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A cache entry under our key that is not JSON is not a snapshot.
    return null;
  }
  if (!isWire(value)) return null;
  const { cluster, incarnation, at, pace, queue, zones, regions, rows } = value;
  return {
    cluster,
    incarnation,
    atMs: at,
    pace: { refreshEveryMs: pace[0], reportEveryMs: pace[1], noticeEveryMs: pace[2], askShare: pace[3] },
    queue: { waiting: queue[0], maxWaiting: queue[1], waitingTokens: queue[2], expectedWaitMs: queue[3] },
    replicas: rows.map((row) => viewOf(row, at, zones, regions)),
  };
}

function viewOf(row: Row, atMs: number, zones: readonly string[], regions: readonly string[]): ReplicaView {
  const [id, codes, slots, running, waiting, polledAgoMs, leases, queuedTokens, throughput, kvUsage] = row;
  const [, , , , , , , , , , weight, startedAtMs, zone, latencies, url] = row;
  const latencyMs = new Map<string, number>();
  for (const [at, ms] of latencies.entries()) {
    const region = regions[at];
    if (region !== undefined && ms >= 0) latencyMs.set(region, ms);
  }
  return {
    id,
    state: standings[codes % standings.length] ?? "disabled",
    breaker: breakers[Math.floor(codes / standings.length)] ?? "open",
    slots,
    running,
    waiting,
    polledAtMs: polledAgoMs === null ? null : atMs - polledAgoMs,
    leases,
    queuedTokens,
    throughput,
    kvUsage,
    weight,
    startedAtMs,
    zone: zones[zone] ?? null,
    latencyMs,
    url,
  };
}

/** Regions that most replicas have learned first. */
function commonRegions(replicas: readonly ReplicaView[]): string[] {
  const counts = new Map<string, number>();
  for (const { latencyMs } of replicas)
    for (const region of latencyMs.keys()) counts.set(region, (counts.get(region) ?? 0) + 1);
  return [...counts.keys()].sort(
    (left, right) => (counts.get(right) ?? 0) - (counts.get(left) ?? 0) || (left < right ? -1 : 1),
  );
}

function inThousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
