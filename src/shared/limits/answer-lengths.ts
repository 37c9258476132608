/**
 * How long will an answer be? For each tenant and model, the length that nine of ten answers stay within, learned from those that ended by
 * themselves. So much is reserved before an answer begins. Per isolate, bounded (the least recently used goes), pure. Lengths are counted
 * in steps of a quarter of a power of two, so that it errs upwards by at most a fifth.
 */
interface Learned {
  readonly counts: Float64Array;
  total: number;
  p90: number;
}

const stepsPerDoubling = 4;
/** Up to 2^20 tokens. */
const steps = 20 * stepsPerDoubling + 1;
const share = 0.9;
/** Before any answer was seen: this many answers of this length are assumed. */
const prior = { answers: 10, tokens: 512 };
/** Counts are halved when there are more: the weight of the past. */
const memory = 200;
/** Less than this is not worth an extension in mid-stream. */
const leastTokens = 64;
/** No more is reserved before an answer begins: the rest is asked for in mid-stream. */
const mostTokens = 4_096;

export class AnswerLengths {
  readonly #maxEntries: number;
  readonly #learned = new Map<string, Learned>();

  constructor(maxEntries = 1_000) {
    this.#maxEntries = maxEntries;
  }

  /** Tokens of one answer that nine of ten stay within. */
  expected(tenant: string, model: string): number {
    return this.#learned.get(keyOf(tenant, model))?.p90 ?? prior.tokens;
  }

  /** An answer of so many tokens ended by itself, or at its `max_tokens`. */
  observe(tenant: string, model: string, tokens: number): void {
    if (!(tokens > 0)) return;
    const key = keyOf(tenant, model);
    const entry = this.#learned.get(key) ?? fresh();
    // Re-inserted, so that the map's order is that of use.
    this.#learned.delete(key);
    count(entry, tokens, 1);
    if (entry.total > memory) {
      for (let step = 0; step < steps; step += 1) entry.counts[step] = (entry.counts[step] ?? 0) / 2;
      entry.total /= 2;
    }
    entry.p90 = quantile(entry);
    this.#learned.set(key, entry);
    if (this.#learned.size <= this.#maxEntries) return;
    const oldest = this.#learned.keys().next();
    if (oldest.done !== true) this.#learned.delete(oldest.value);
  }

  get size(): number {
    return this.#learned.size;
  }
}

function fresh(): Learned {
  const entry = { counts: new Float64Array(steps), total: 0, p90: prior.tokens };
  count(entry, prior.tokens, prior.answers);
  return entry;
}

function count(entry: Learned, tokens: number, times: number): void {
  const step = Math.min(steps - 1, Math.ceil(Math.log2(tokens) * stepsPerDoubling - 1e-9));
  entry.counts[step] = (entry.counts[step] ?? 0) + times;
  entry.total += times;
}

function quantile({ counts, total }: Learned): number {
  let below = 0;
  let step = 0;
  for (; step < steps - 1; step += 1) {
    below += counts[step] ?? 0;
    if (below >= total * share) break;
  }
  return Math.min(mostTokens, Math.max(leastTokens, Math.ceil(2 ** (step / stepsPerDoubling) - 1e-9)));
}

/** Tenant ids hold no blank (contracts/ids.ts), so that the pair is unambiguous. */
function keyOf(tenant: string, model: string): string {
  return `${tenant} ${model}`;
}
