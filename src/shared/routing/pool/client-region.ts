/**
 * Which region does a request come from, coarsely enough to learn latencies by? A cell of 30° by 45°: the earth has 48, and traffic comes
 * from some ten. Network latency differs little within one.
 */
import type { ClientPlace } from "../ports.ts";

/** The cell's name, as `3e`; null where the client's place is unknown. */
export function clientRegion({ latitude, longitude }: ClientPlace): string | null {
  if (latitude === undefined || longitude === undefined) return null;
  const row = Math.min(5, Math.max(0, Math.floor((latitude + 90) / 30)));
  const column = Math.min(7, Math.max(0, Math.floor((longitude + 180) / 45)));
  return `${row}${columns[column]}`;
}

const columns = "abcdefgh";
