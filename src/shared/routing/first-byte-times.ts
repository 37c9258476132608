/**
 * How long does a model's first byte take, as this isolate has seen it? The last answers of each model, those that stream apart
 * from whole ones: what comes later than nearly all of them is late (hedge.ts).
 */

/** Answers that count. */
const kept = 128;
/** Fewer do not show a twentieth. */
const least = 20;
/** A fleet has some tens of models; whatever comes later is not learned. */
const maxModels = 256;

interface Ring {
  readonly times: number[];
  next: number;
}

export class FirstByteTimes {
  readonly #streamed = new Map<string, Ring>();
  readonly #whole = new Map<string, Ring>();

  observe(model: string, stream: boolean, ms: number): void {
    const rings = stream ? this.#streamed : this.#whole;
    let ring = rings.get(model);
    if (ring === undefined) {
      if (rings.size >= maxModels) return;
      ring = { times: [], next: 0 };
      rings.set(model, ring);
    }
    ring.times[ring.next] = ms;
    ring.next = (ring.next + 1) % kept;
  }

  /** Milliseconds within which nineteen of twenty came; `null`: too few were seen. */
  p95(model: string, stream: boolean): number | null {
    const times = (stream ? this.#streamed : this.#whole).get(model)?.times ?? [];
    if (times.length < least) return null;
    return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? null;
  }
}
