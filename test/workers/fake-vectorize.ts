/**
 * Vectorize's documented shape in memory: what is written or removed is answered at once, and found when it was `settled`, in order; ids are
 * one per index; a query is answered within its namespace alone, exactly. Its bounds are those of its documentation and of its users' reports.
 */
import type { VectorizeBinding } from "../../src/shared/retrieval/vectorize-index.ts";

type Vector = { namespace: string; values: Float32Array };
export type VectorizeCall = "upsert" | "deleteByIds" | "query" | "describe";

export class FakeVectorize implements VectorizeBinding {
  readonly dimensions: number;
  /** What searches see. */
  readonly found = new Map<string, Vector>();
  /** Each call that came, and of how many. */
  readonly calls: { readonly call: VectorizeCall; readonly size: number }[] = [];
  /** These calls fail, as one that can't be reached. */
  readonly down = new Set<VectorizeCall>();
  /** Awaited within each call that comes from now on: before it is carried out, and before it is answered. */
  pass: (call: VectorizeCall, when: "before" | "behind") => Promise<void> = () => Promise.resolve();
  /** Whether what is written is found at once. */
  isPrompt = false;
  /** Whether `describe` says how far it is. */
  tellsProgress = true;
  /** Vectors that a query does not name, as where a hundred others are as near. */
  hides: (id: string) => boolean = () => false;
  /** Whose time it says: when the last change was made, or when it was carried out. The documentation says the one here and the other there. */
  tellsTime: "made" | "processed" = "made";
  #waiting: { id: string; atMs: number; apply: () => void }[] = [];
  #processed: { id: string; atMs: number } | null = null;
  #count = 0;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  async upsert(vectors: { id: string; namespace: string; values: Float32Array }[]) {
    const leave = await this.#arrive("upsert", vectors.length);
    if (vectors.length === 0 || vectors.length > 1000)
      throw new Error("VECTOR_UPSERT_ERROR (code = 40006): too many or no vectors");
    for (const { id, namespace, values } of vectors) {
      if (bytesOf(id) > 64 || bytesOf(namespace) > 64) throw new Error("VECTOR_UPSERT_ERROR: too long");
      if (values.length !== this.dimensions)
        throw new Error(`VECTOR_UPSERT_ERROR (code = 40012): expected ${this.dimensions} dimensions`);
    }
    const kept = vectors.map(({ values, ...vector }) => ({ ...vector, values: values.slice() }));
    return this.#mutate(leave, () => {
      for (const { id, ...vector } of kept) this.found.set(id, vector);
    });
  }

  async deleteByIds(ids: string[]) {
    const leave = await this.#arrive("deleteByIds", ids.length);
    if (ids.length === 0 || ids.length > 100)
      throw new Error(
        `VECTOR_DELETE_ERROR (code = 40007): too many ids in payload; max id count is 100, got ${ids.length}`,
      );
    return this.#mutate(leave, () => {
      for (const id of ids) this.found.delete(id);
    });
  }

  async query(vector: Float32Array, { topK, namespace }: { topK: number; namespace: string }) {
    const leave = await this.#arrive("query", 1);
    if (topK > 100) throw new Error("VECTOR_QUERY_ERROR (code = 40021): max top K is 100");
    if (vector.length !== this.dimensions) throw new Error("VECTOR_QUERY_ERROR: dimensions");
    const matches = [...this.found]
      .filter(([id, one]) => one.namespace === namespace && !this.hides(id))
      .map(([id, { values }]) => ({ id, score: cosine(vector, values) }))
      .sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1))
      .slice(0, topK);
    await leave();
    return { count: matches.length, matches };
  }

  async describe() {
    const leave = await this.#arrive("describe", 0);
    const { id, atMs } = this.#processed ?? { id: null, atMs: null };
    const said = {
      dimensions: this.dimensions,
      vectorCount: this.found.size,
      processedUpToMutation: this.tellsProgress ? id : null,
      processedUpToDatetime: this.tellsProgress && atMs !== null ? new Date(atMs).toISOString() : null,
    };
    await leave();
    return said;
  }

  /** The eldest changes are found now; all, unless a number is given. */
  settle(most = Infinity): void {
    while (most > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next.apply();
      this.#processed = this.tellsTime === "made" ? next : { ...next, atMs: Date.now() };
      most -= 1;
    }
  }

  /** Changes that are not found yet. */
  get waits(): number {
    return this.#waiting.length;
  }

  namespaces(): Set<string> {
    return new Set([...this.found.values()].map(({ namespace }) => namespace));
  }

  async #arrive(call: VectorizeCall, size: number): Promise<() => Promise<void>> {
    const { pass } = this;
    await pass(call, "before");
    this.calls.push({ call, size });
    if (this.down.has(call)) throw new Error("VECTOR_ERROR (code = 10000): unavailable");
    return () => pass(call, "behind");
  }

  async #mutate(leave: () => Promise<void>, apply: () => void) {
    this.#count += 1;
    const id = `mutation-${this.#count}`;
    this.#waiting.push({ id, atMs: Date.now(), apply });
    if (this.isPrompt) this.settle();
    await leave();
    return { mutationId: id };
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function cosine(left: Float32Array, right: Float32Array): number {
  const product = left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
  return product / (Math.hypot(...left) * Math.hypot(...right));
}
