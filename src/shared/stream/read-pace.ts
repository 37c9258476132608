/**
 * How many bytes should the next read of an engine's stream wait for? Entering the isolate for a token costs several times
 * what is done with it there, so tokens that follow each other closely are read together: as many bytes as come within
 * `gatherMs` at the stream's present pace. A token thus waits less than that for the ones behind it; where the engine takes
 * longer for a token, each is read alone.
 *
 * Weakness: an engine that suddenly pauses leaves what came last unread until it goes on or ends. Pure; time comes in.
 */

/** Least weight of the newest read in the pace: eight or so are remembered. The first ones count alike. */
const newest = 1 / 8;
/** Reads that make a pace. Before them each token is read as it comes. */
const fewest = 3;
/** Of `gatherMs`: what comes sooner behind a read was written with it, as an engine's first tokens often are, and says nothing of its pace. */
const together = 1 / 10;
/** Whatever the pace seems to be (after a pause, much comes at once), no read waits for more: some eight of vLLM's events. */
const mostBytes = 2048;

export class ReadPace {
  readonly #gatherMs: number;
  #reads = 0;
  #lastAtMs = 0;
  #meanBytes = 0;
  #meanMs = 0;

  /** @param gatherMs 0: never waits for a second token */
  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs;
  }

  /** A read brought so many bytes. */
  note(bytes: number, nowMs: number): void {
    const tookMs = nowMs - this.#lastAtMs;
    // Since the last read that counted: of a fast engine every few do.
    if (this.#reads > 0 && tookMs < together * this.#gatherMs) return;
    this.#lastAtMs = nowMs;
    this.#reads++;
    if (this.#reads === 1) return;
    const weight = Math.max(newest, 1 / (this.#reads - 1));
    this.#meanBytes += (bytes - this.#meanBytes) * weight;
    this.#meanMs += (tookMs - this.#meanMs) * weight;
  }

  /** At least 1. */
  minBytes(): number {
    if (this.#gatherMs === 0 || this.#reads < fewest) return 1;
    const expected = (this.#meanBytes * this.#gatherMs) / Math.max(this.#meanMs, 0.001);
    return Math.max(1, Math.min(mostBytes, Math.floor(expected)));
  }
}
