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
  /** Ends it. Only the first call counts. */
  release(): void;
}

/** Longer than any tenant's `deadline_seconds`: an expired lease belongs to a request that cannot be alive. */
export const leaseTtlMs = 3_660_000;

interface Held {
  readonly occupancy: Occupancy;
  readonly tokens: number;
  readonly expiresAtMs: number;
}

/** All leases of an isolate. */
export class InFlight {
  /** In the order taken; every lease lives equally long, so the front expires first. */
  readonly #held = new Set<Held>();

  take(occupancy: Occupancy, tokens: number, nowMs: number): Lease {
    this.expire(nowMs);
    const held: Held = { occupancy, tokens, expiresAtMs: nowMs + leaseTtlMs };
    this.#held.add(held);
    occupancy.requests += 1;
    occupancy.tokens += tokens;
    return { release: () => this.#release(held) };
  }

  /** Ends the leases that nobody ended. */
  expire(nowMs: number): void {
    for (const held of this.#held) {
      if (held.expiresAtMs > nowMs) return;
      this.#release(held);
    }
  }

  get size(): number {
    return this.#held.size;
  }

  #release(held: Held): void {
    if (!this.#held.delete(held)) return;
    held.occupancy.requests -= 1;
    held.occupancy.tokens -= held.tokens;
  }
}
