/**
 * How much of this isolate's own work is at a replica? Counters that cannot drift: a lease is given back exactly once
 * however often it is released, and one that was forgotten expires.
 */

/** Counts of one replica. */
export interface Occupancy {
  requests: number;
  tokens: number;
}

export interface Lease {
  /** The first byte came: from now on it may take as long as streams take. */
  began(nowMs: number): void;
  /** Ends it. Only the first call counts. */
  release(): void;
}

/** Longer than any request waits for its first byte. */
export const waitingTtlMs = 120_000;
/** Longer than almost any stream; one that is longer is counted no more. */
export const streamingTtlMs = 900_000;

interface Held {
  readonly occupancy: Occupancy;
  readonly tokens: number;
  expiresAtMs: number;
}

/** All leases of an isolate. */
export class InFlight {
  /** Each in the order of expiry, since all in one set live equally long. */
  readonly #waiting = new Set<Held>();
  readonly #streaming = new Set<Held>();

  take(occupancy: Occupancy, tokens: number, nowMs: number): Lease {
    this.expire(nowMs);
    const held: Held = { occupancy, tokens, expiresAtMs: nowMs + waitingTtlMs };
    this.#waiting.add(held);
    occupancy.requests += 1;
    occupancy.tokens += tokens;
    return {
      began: (nowMs) => {
        if (!this.#waiting.delete(held)) return;
        held.expiresAtMs = nowMs + streamingTtlMs;
        this.#streaming.add(held);
      },
      release: () => this.#release(held),
    };
  }

  /** Ends the leases that nobody ended. */
  expire(nowMs: number): void {
    for (const leases of [this.#waiting, this.#streaming]) {
      for (const held of leases) {
        if (held.expiresAtMs > nowMs) break;
        this.#release(held);
      }
    }
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
