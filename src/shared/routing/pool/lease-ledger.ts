/**
 * Which requests are in flight at which replica? Leases by isolate and number, replaced as a whole by each of the isolate's reports, so
 * that lost, repeated and late messages leave no trace; expiring, so that an isolate that died does not either.
 */
import type { LeaseReport } from "./pool-protocol.ts";

interface Lease {
  readonly replica: string;
  /** Still to be worked off, by the last report. */
  tokens: number;
  readonly startedAtMs: number;
  expiresAtMs: number;
}

interface Source {
  sequence: number;
  issued: number;
  reportedAtMs: number;
  /** What it asked for, by its last report. */
  asking: readonly number[];
  /** Ended by a message of its own, which may overtake the one that asks. Up to `issued` the reports speak. */
  readonly over: Set<number>;
  readonly leases: Map<number, Lease>;
}

/** What is in flight at one replica. */
export interface ReplicaTally {
  leases: number;
  tokens: number;
}

/** What a change of a lease says about the time since a replica was polled. */
export interface LeaseMove {
  readonly replica: string;
  /** +1: begun at `atMs`. −1: ended some time after `atMs` and until now. */
  readonly change: 1 | -1;
  readonly atMs: number;
  readonly startedAtMs: number;
}

/** How long a grant lives whose isolate never mentions it: the isolate died, or never learned of it. */
const unseenTtlMs = 15_000;
/** Isolates that hold nothing and say nothing are forgotten. */
const silentTtlMs = 120_000;
const leastTtlMs = 60_000;
const mostTtlMs = 900_000;
const ttlPerTokenMs = 50;

/** How long a lease lives after the last report that named it: by its work, since a dead isolate ends nothing. */
export function leaseTtlMs(tokens: number): number {
  return Math.min(mostTtlMs, leastTtlMs + tokens * ttlPerTokenMs);
}

export class LeaseLedger {
  readonly #sources = new Map<string, Source>();
  readonly #tallies = new Map<string, ReplicaTally>();
  readonly #onMove: (move: LeaseMove) => void;
  #size = 0;

  /** `onMove` hears of every lease that begins or ends. */
  constructor(onMove: (move: LeaseMove) => void = () => undefined) {
    this.#onMove = onMove;
  }

  get size(): number {
    return this.#size;
  }

  /** Isolates that reported lately. */
  get sources(): number {
    return this.#sources.size;
  }

  at(replica: string): Readonly<ReplicaTally> {
    return this.#tallies.get(replica) ?? nothing;
  }

  /** Makes the isolate's leases what the report says. False: the report is older than one that was applied. */
  apply(report: LeaseReport, nowMs: number): boolean {
    const source = this.#source(report.source, nowMs);
    if (report.sequence <= source.sequence) return false;
    const lastReportMs = source.reportedAtMs;
    const open = new Set<number>();
    for (const [number, replica, tokens, ageMs] of report.open) {
      open.add(number);
      const known = source.leases.get(number);
      if (known === undefined)
        this.#begin(source, number, {
          replica,
          tokens,
          startedAtMs: nowMs - Math.max(0, ageMs),
          expiresAtMs: nowMs + leaseTtlMs(tokens),
        });
      else {
        this.#worked(known, tokens);
        known.expiresAtMs = nowMs + leaseTtlMs(tokens);
      }
    }
    for (const [number, lease] of source.leases) {
      if (open.has(number) || number > report.issued || report.asking.includes(number)) continue;
      this.#end(source, number, lease, Math.max(lastReportMs, lease.startedAtMs));
    }
    source.sequence = report.sequence;
    source.issued = Math.max(source.issued, report.issued);
    source.asking = report.asking;
    for (const number of source.over)
      if (number <= source.issued && !report.asking.includes(number)) source.over.delete(number);
    source.reportedAtMs = nowMs;
    return true;
  }

  /** A lease that the pool gives. Giving it twice gives it once. */
  grant(sourceName: string, number: number, replica: string, tokens: number, nowMs: number): void {
    const source = this.#source(sourceName, nowMs);
    if (source.leases.has(number)) return;
    this.#begin(source, number, {
      replica,
      tokens,
      startedAtMs: nowMs,
      expiresAtMs: nowMs + unseenTtlMs,
    });
  }

  /** The replica of a lease, or null where there is none. */
  replicaOf(sourceName: string, number: number): string | null {
    return this.#sources.get(sourceName)?.leases.get(number)?.replica ?? null;
  }

  /** Ends a lease by a message of its own; one that was not given yet will not be. */
  end(sourceName: string, number: number, nowMs: number): void {
    const source = this.#source(sourceName, nowMs);
    if (number > source.issued || source.asking.includes(number)) source.over.add(number);
    const lease = source.leases.get(number);
    if (lease !== undefined) this.#end(source, number, lease, nowMs);
  }

  /** Has the isolate already said that this one has ended, or that it will not ask for it? */
  isOver(sourceName: string, number: number): boolean {
    const source = this.#sources.get(sourceName);
    if (source === undefined) return false;
    if (source.over.has(number)) return true;
    return number <= source.issued && !source.leases.has(number) && !source.asking.includes(number);
  }

  /** Ends the leases of isolates that no longer report. */
  expire(nowMs: number): void {
    for (const [name, source] of this.#sources) {
      for (const [number, lease] of source.leases)
        if (lease.expiresAtMs <= nowMs) this.#end(source, number, lease, nowMs);
      if (source.leases.size === 0 && nowMs - source.reportedAtMs >= silentTtlMs) this.#sources.delete(name);
    }
  }

  #source(name: string, nowMs: number): Source {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const made: Source = {
      sequence: 0,
      issued: 0,
      reportedAtMs: nowMs,
      asking: [],
      over: new Set(),
      leases: new Map(),
    };
    this.#sources.set(name, made);
    return made;
  }

  #begin(source: Source, number: number, lease: Lease): void {
    source.leases.set(number, lease);
    const tally = this.#tallies.get(lease.replica) ?? { leases: 0, tokens: 0 };
    this.#tallies.set(lease.replica, tally);
    tally.leases += 1;
    tally.tokens += lease.tokens;
    this.#size += 1;
    const { replica, startedAtMs } = lease;
    this.#onMove({ replica, change: 1, atMs: startedAtMs, startedAtMs });
  }

  /** Less work is left of it, for instance because its prompt is computed. */
  #worked(lease: Lease, tokens: number): void {
    const tally = this.#tallies.get(lease.replica);
    if (tally !== undefined) tally.tokens += tokens - lease.tokens;
    lease.tokens = tokens;
  }

  #end(source: Source, number: number, lease: Lease, afterMs: number): void {
    if (!source.leases.delete(number)) return;
    const { replica, tokens, startedAtMs } = lease;
    const tally = this.#tallies.get(replica);
    if (tally !== undefined) {
      tally.leases -= 1;
      tally.tokens -= tokens;
      if (tally.leases === 0) this.#tallies.delete(replica);
    }
    this.#size -= 1;
    this.#onMove({ replica, change: -1, atMs: afterMs, startedAtMs });
  }
}

const nothing: Readonly<ReplicaTally> = { leases: 0, tokens: 0 };
