import { timedOut, within } from "../../src/shared/isolate/within.ts";

/** Another object must answer within this time; otherwise it counts as unreachable, and the duty is tried again later. */
const answerWithinMs = 10_000;

/** A request that waits much longer for an object is cut off somewhere on its way. */
export const longestWaitMs = 20_000;

/** The result of a call to another object or service. Rejects if it takes longer than `ms`; the call itself goes on. */
export async function inTime<T>(work: Promise<T>, ms: number = answerWithinMs): Promise<T> {
  const outcome = await within(work, ms);
  if (outcome === timedOut) throw new Error(`no answer within ${ms} ms`);
  return outcome;
}
