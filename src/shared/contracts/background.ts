/**
 * Work that outlives the request that began it: `ctx.waitUntil` in a Worker. A promise that several requests await must be
 * registered here by the request that began it, at once, or it hangs for all of them when that request is reset.
 */
export interface Background {
  /** Failures are reported under `name`, never thrown. */
  run(name: string, work: Promise<unknown>): void;
}
