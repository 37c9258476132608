/** Microseconds of the machine's monotonic clock: the same for every process on it, so two of them can be subtracted. */
export function processMicroseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}
