/**
 * A time zone in which it is at least six hours to midnight and six from it: days' and months' limits refill then, and a test that
 * uses one up would be let in once more.
 */
export function farFromMidnight(nowMs = Date.now()): string {
  // The sign is turned: Etc/GMT-6 is six hours ahead of UTC.
  return new Date(nowMs).getUTCHours() < 12 ? "Etc/GMT-6" : "Etc/GMT+6";
}
