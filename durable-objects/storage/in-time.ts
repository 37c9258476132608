import { timedOut, within } from "../../src/shared/isolate/shared-load.ts";

/** Another object answers within this, or counts as out of reach: its duty is tried again later. */
const answerWithinMs = 10_000;

/** What a call of another object comes to. Rejects where it takes too long; the call itself goes on. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  const outcome = await within(work, answerWithinMs);
  if (outcome === timedOut) throw new Error("no answer in time");
  return outcome;
}
