/**
 * How much of this isolate's own work is at a replica? The counters can't drift: a lease is given back once however often it is released,
 * and a forgotten one expires.
 */

/** Counts of one replica. */
export interface Occupancy {
  requests: number;
  tokens: number;
}

export interface Lease {
  /**
   * The first byte came: from now on it may take as long as streams take, and of its tokens only `tokensLeft` are still to be worked
   * off (all, where that is not said). One that had expired meanwhile counts again. Returns how long the first byte took, in milliseconds.
   */
  began(nowMs: number, tokensLeft?: number): number;
  /** Ends it. Only the first call counts. */
  release(): void;
}

/** Longer than a request usually may wait for its first byte (`requests.deadline_seconds`: 600); where a tenant lets it wait for an hour, it counts again with that. */
export const waitingTtlMs = 660_000;
/** Longer than almost any stream; a longer one is no longer counted. */
export const streamingTtlMs = 900_000;

/** A lease as reported to its cluster's pool. */
export interface HeldLease {
  /** Of this isolate, counting up. */
  readonly number: number;
  readonly occupancy: Occupancy;
  /** Still to be worked off: of prompt and answer until the first byte, of the answer from then on. */
  readonly tokens: number;
  readonly takenAtMs: number;
  /** When the pool took it in, by the pool's clock; Infinity: it was not told yet. */
  knownAtMs: number;
}

interface Held extends HeldLease {
  tokens: number;
  expiresAtMs: number;
}

/** All leases of an isolate. */
export class InFlight {
  /** Each in the order of expiry, since all in one set live equally long. */
  readonly #waiting = new Set<Held>();
  readonly #streaming = new Set<Held>();
  #issued = 0;

  /** The highest number given out. */
  get issued(): number {
    return this.#issued;
  }

  /** A number for a lease that is to be asked for. */
  number(): number {
    this.#issued += 1;
    return this.#issued;
  }

  /** @param number of the lease that a pool has granted; else it gets the next one */
  take(occupancy: Occupancy, tokens: number, nowMs: number, number = this.number()): Lease {
    this.expire(nowMs);
    const held: Held = {
      number,
      occupancy,
      tokens,
      takenAtMs: nowMs,
      knownAtMs: Number.POSITIVE_INFINITY,
      expiresAtMs: nowMs + waitingTtlMs,
    };
    this.#waiting.add(held);
    occupancy.requests += 1;
    occupancy.tokens += tokens;
    let isWaiting = true;
    return {
      began: (nowMs, tokensLeft = held.tokens) => {
        if (isWaiting) {
          isWaiting = false;
          this.#release(held);
          held.tokens = tokensLeft;
          held.expiresAtMs = nowMs + streamingTtlMs;
          occupancy.requests += 1;
          occupancy.tokens += tokensLeft;
          this.#streaming.add(held);
        }
        return nowMs - held.takenAtMs;
      },
      release: () => {
        isWaiting = false;
        this.#release(held);
      },
    };
  }

  /** Ends leases that were never ended. */
  expire(nowMs: number): void {
    for (const leases of [this.#waiting, this.#streaming]) {
      for (const held of leases) {
        if (held.expiresAtMs > nowMs) break;
        this.#release(held);
      }
    }
  }

  *held(): Iterable<HeldLease> {
    yield* this.#waiting;
    yield* this.#streaming;
  }

  get size(): number {
    return this.#waiting.size + this.#streaming.size;
  }

  #release(held: Held): void {
    if (!this.#waiting.delete(held) && !this.#streaming.delete(held)) return;
    held.occupancy.requests -= 1;
    held.occupancy.tokens -= held.tokens;
  }
}
