/**
 * How far off is the estimate for this tenant and model? Learned from the engine's own counts, per isolate. A ratio of sums with decay: one
 * odd prompt moves it little, a change of model or language is followed in some fifty requests. Bounded in entries (the least recently used
 * goes) and in value, so that a broken engine can't push it.
 */
interface Learned {
  estimated: number;
  counted: number;
}

/** Sums are halved when the estimates pass this: the weight of the past. */
const memoryTokens = 50_000;
/** A pair that was not seen yet begins with the weight of this many tokens at ratio 1. */
const priorTokens = 500;
const lowestRatio = 0.5;
const highestRatio = 3;

export class TokenCalibration {
  readonly #maxEntries: number;
  readonly #learned = new Map<string, Learned>();

  constructor(maxEntries = 1_000) {
    this.#maxEntries = maxEntries;
  }

  /** What to multiply an estimate with; 1 where nothing was learned. */
  ratio(tenant: string, model: string): number {
    const entry = this.#learned.get(keyOf(tenant, model));
    if (entry === undefined) return 1;
    const ratio = (entry.counted + priorTokens) / (entry.estimated + priorTokens);
    return Math.min(highestRatio, Math.max(lowestRatio, ratio));
  }

  /** `estimated`: before calibration. `counted`: the engine's `prompt_tokens`. */
  observe(tenant: string, model: string, estimated: number, counted: number): void {
    if (!(estimated > 0) || !(counted > 0)) return;
    const key = keyOf(tenant, model);
    const entry = this.#learned.get(key) ?? { estimated: 0, counted: 0 };
    // Re-inserted, so that the map's order is that of use.
    this.#learned.delete(key);
    entry.estimated += estimated;
    entry.counted += Math.min(highestRatio * estimated, Math.max(lowestRatio * estimated, counted));
    if (entry.estimated > memoryTokens) {
      entry.estimated /= 2;
      entry.counted /= 2;
    }
    this.#learned.set(key, entry);
    if (this.#learned.size <= this.#maxEntries) return;
    const oldest = this.#learned.keys().next();
    if (oldest.done !== true) this.#learned.delete(oldest.value);
  }
}

/** Tenant ids hold no blank (contracts/ids.ts), so that the pair is unambiguous. */
function keyOf(tenant: string, model: string): string {
  return `${tenant} ${model}`;
}
