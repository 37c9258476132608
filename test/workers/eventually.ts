/** For what comes true behind an answer: an outbox delivered, a charge settled, an engine stopped. */
import { vi } from "vitest";

/** Vitest's own limit is one second, which a machine that has too much to do needs for a single alarm. */
const withinMs = 25_000;

/** Looks again and again until nothing is thrown. Rejects with what was thrown last. */
export function eventually<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: withinMs });
}
