import type { Background } from "../contracts/background.ts";
import { SharedLoads } from "../isolate/shared-load.ts";
import { timedOut, within } from "../isolate/within.ts";

/**
 * Is everything that this isolate depends on there? The route is public, so however often it is called, the parts are checked at most once
 * a second, and four times a second while something is missing.
 */
export class Readiness {
  readonly #loads = new SharedLoads<string | null>(waitMs);
  #last: { readonly atMs: number; readonly failing: string | null } | null = null;

  /**
   * @param look asks the parts; the first that does not work, or `null`
   * @returns the same, up to a second old; `time` where the parts say nothing
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
/** Whoever waits for a start is not kept waiting by this. */
const missingForMs = 250;
/** A bucket and a live look at replicas have a second each. */
const lookMs = 4_000;
/** Longer than that. */
const waitMs = 5_000;
