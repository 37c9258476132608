/**
 * Work that outlives the request that began it: `ctx.waitUntil` in a Worker. A promise that several requests await must be
 * registered here by the request that began it, at once, or it hangs for all of them when that request is reset.
 */
import type { ReportFault } from "./report-fault.ts";

export interface Background {
  /** Failures are reported under `name`, never thrown. */
  run(name: string, work: Promise<unknown>): void;
}

/** @param context a Worker's or an object's. @param report called when work fails */
export function backgroundOf(
  context: { waitUntil(work: Promise<unknown>): void },
  report: ReportFault,
): Background {
  return {
    run: (name, work) => context.waitUntil(work.catch((error: unknown) => report(name, String(error)))),
  };
}
