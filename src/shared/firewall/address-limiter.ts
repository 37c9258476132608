/**
 * Does one address ask too often? Counted ahead of authentication, so it must cost next to nothing: exactly in the isolate's
 * memory, at once; and in the counter that the location's isolates share, in the background, one count a block of requests.
 * A location's isolates thus overshoot by a block each and by what was on its way; both counters forget in a minute.
 *
 * It is a guard against floods and guessing, not the tenants' limits (src/shared/limits): those are exact.
 */
import type { Background } from "../contracts/background.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import type { SharedCounter } from "./ports.ts";

export interface AddressLimiterOptions {
  /** Requests that the shared counter takes as one. 1: each. */
  readonly blockSize: number;
  /** Null: none is bound, the isolate counts alone. */
  readonly shared: SharedCounter | null;
  readonly now: () => number;
}

/** Cloudflare's counter knows windows of 10 and of 60 seconds. */
export const addressWindowMs = 60_000;

/** Addresses of one generation of memory, twice as many in all: a flood of addresses forgets the oldest, never grows. */
const maxAddresses = 16_384;

interface Tally {
  count: number;
  readonly windowEndsMs: number;
  refusedUntilMs: number;
}

export class AddressLimiter {
  readonly #options: AddressLimiterOptions;
  readonly #tallies = new BoundedMap<string, Tally>({ maxEntries: maxAddresses });

  constructor(options: AddressLimiterOptions) {
    this.#options = options;
  }

  /** Counts one of at most `maxPerWindow`. Null: go on; otherwise how long this address has to wait, in milliseconds. */
  count(subscriber: string, maxPerWindow: number, background: Background): number | null {
    const now = this.#options.now();
    const { blockSize, shared } = this.#options;
    const tally = this.#tallyOf(subscriber, now);
    tally.count += 1;
    if (now < tally.refusedUntilMs) return tally.refusedUntilMs - now;
    if (tally.count > maxPerWindow) {
      tally.refusedUntilMs = tally.windowEndsMs;
      return Math.max(1, tally.windowEndsMs - now);
    }
    if (shared !== null && tally.count % blockSize === 0)
      background.run("count an address", this.#countShared(shared, subscriber, tally));
    return null;
  }

  /** The same without counting: is this address refused at the moment? */
  waitMs(subscriber: string): number | null {
    const tally = this.#tallies.get(subscriber);
    const now = this.#options.now();
    return tally !== undefined && now < tally.refusedUntilMs ? tally.refusedUntilMs - now : null;
  }

  #tallyOf(subscriber: string, now: number): Tally {
    const known = this.#tallies.get(subscriber);
    if (known !== undefined && now < known.windowEndsMs) return known;
    const fresh = { count: 0, windowEndsMs: now + addressWindowMs, refusedUntilMs: 0 };
    this.#tallies.set(subscriber, fresh);
    return fresh;
  }

  async #countShared(shared: SharedCounter, subscriber: string, tally: Tally): Promise<void> {
    if (await shared.count(subscriber)) return;
    tally.refusedUntilMs = Math.max(tally.refusedUntilMs, tally.windowEndsMs);
  }
}
