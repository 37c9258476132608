/**
 * How much time has passed, by a clock that may have been set back? A time that was noted before then lies in the future, perhaps by an
 * hour: without this, a replica would stay shut out, or nothing would be refreshed, for that hour.
 */

/** Has this much time passed since then? Also true if that time lies in the future: when it was is no longer known. */
export function hasPassed(sinceMs: number, nowMs: number, ms: number): boolean {
  const agoMs = nowMs - sinceMs;
  return agoMs >= ms || agoMs < 0;
}

/** The time left until then; 0 if that is more than it can ever have been. */
export function leftUntil(untilMs: number, nowMs: number, mostMs: number): number {
  const leftMs = untilMs - nowMs;
  return leftMs > 0 && leftMs <= mostMs ? leftMs : 0;
}
