import type { Background } from "../contracts/background.ts";
import { SharedLoads } from "../isolate/shared-load.ts";
import { timedOut, within } from "../isolate/within.ts";

/**
 * Does everything that this isolate depends on work? The route is public, so the parts are checked at most once a second, and four times a
 * second while one fails, however often it is called.
 */
export class Readiness {
  readonly #loads = new SharedLoads<string | null>(waitMs);
  #last: { readonly atMs: number; readonly failing: string | null } | null = null;

  /**
   * @param look checks the parts and returns the first that fails, or `null`
   * @returns the same, up to a second old; `time` if the check does not end in time
   */
  async firstFailing(
    look: () => Promise<string | null>,
    background: Background,
    now: () => number,
  ): Promise<string | null> {
    const last = this.#last;
    const ageMs = last === null ? Infinity : now() - last.atMs;
    if (last !== null && ageMs >= 0 && ageMs < (last.failing === null ? readyForMs : missingForMs))
      return last.failing;
    return this.#loads.load(
      "parts",
      async () => {
        const looked = await within(look(), lookMs);
        const failing = looked === timedOut ? "time" : looked;
        this.#last = { atMs: now(), failing };
        return failing;
      },
      background,
    );
  }
}

const readyForMs = 1_000;
/** Short, so that a client that waits for a start hardly waits longer. */
const missingForMs = 250;
/** The check of a bucket and that of the replicas may take a second each. */
const lookMs = 4_000;
/** Longer than `lookMs`. */
const waitMs = 5_000;
