/**
 * Vectors of large stores in Vectorize. Never run for real: it does not run offline; tested against a stand-in of its documented shape
 * (https://developers.cloudflare.com/vectorize/) and of the bounds that its users report.
 *
 * A write is visible some seconds later, and a removed vector is still found for some seconds: the store's object knows which passages
 * exist, and drops the others (find-passages.ts). Ids are one per index, not per namespace, so that each carries its namespace.
 */
import type { Scored } from "./best-few.ts";
import { outsideBounds } from "./outside-bounds.ts";
import type { IndexState, OutsideVectors, VectorIndex, VectorOwner } from "./ports.ts";

/** What is used of the binding. */
export interface VectorizeBinding {
  upsert(
    vectors: { id: string; namespace: string; values: Float32Array }[],
  ): Promise<{ readonly mutationId: string }>;
  deleteByIds(ids: string[]): Promise<{ readonly mutationId: string }>;
  query(
    vector: Float32Array,
    options: { topK: number; namespace: string; returnValues: false; returnMetadata: "none" },
  ): Promise<{ readonly matches: readonly { readonly id: string; readonly score: number }[] }>;
  /** The declaration calls the last two numbers, its own comments a UUID and an ISO date. */
  describe(): Promise<{
    readonly dimensions: number;
    readonly vectorCount: number;
    readonly processedUpToMutation: unknown;
    readonly processedUpToDatetime: unknown;
  }>;
}

/** https://developers.cloudflare.com/vectorize/platform/limits/ */
const vectorizeBounds = {
  /** Of one upsert from a Worker. */
  upserted: 1000,
  /** Of one deletion. On no page of the documentation: more are refused as a whole (`40007 too many ids in payload; max id count is 100`). */
  removed: 100,
  /** Without values and metadata. */
  topK: 100,
  dimensions: 1536,
} as const;

/** Hexadecimal digits: 128 bits, so that no two owners meet. With a passage's number behind it, an id has under its 64 bytes. */
const namespaceCharacters = 32;

/** The index must be made with `--metric=cosine`. */
export function vectorizeVectors(binding: VectorizeBinding): OutsideVectors {
  return {
    bounds: outsideBounds,
    of: async (whose) => new VectorizeNamespace(binding, await namespaceOf(whose)),
    async state(): Promise<IndexState> {
      const said = await binding.describe();
      const { dimensions, vectorCount: vectors } = said;
      if (!Number.isInteger(dimensions) || dimensions < 1)
        throw new TypeError("an index that does not say how many dimensions it has");
      return {
        dimensions,
        vectors: Number.isInteger(vectors) ? vectors : 0,
        change: typeof said.processedUpToMutation === "string" ? said.processedUpToMutation : null,
        changeMs: dateOf(said.processedUpToDatetime),
      };
    },
  };
}

/**
 * One for each store and embedder: a tenant's, as a whole, would let small stores drown among a large one's first hundred. Its name tells
 * none of the three.
 */
async function namespaceOf({ tenant, storeId, embedderId }: VectorOwner): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify([tenant, storeId, embedderId]));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, namespaceCharacters);
}

function dateOf(said: unknown): number | null {
  const ms = typeof said === "string" ? Date.parse(said) : said;
  return typeof ms === "number" && Number.isFinite(ms) ? ms : null;
}

class VectorizeNamespace implements VectorIndex {
  readonly #binding: VectorizeBinding;
  readonly #namespace: string;
  readonly #prefix: string;

  constructor(binding: VectorizeBinding, namespace: string) {
    this.#binding = binding;
    this.#namespace = namespace;
    this.#prefix = `${namespace}/`;
  }

  async upsert(
    vectors: readonly { readonly id: number; readonly values: Float32Array }[],
  ): Promise<string | null> {
    const wide = vectors.find(({ values }) => values.length > vectorizeBounds.dimensions);
    if (wide !== undefined)
      throw new RangeError(
        `Vectorize takes ${vectorizeBounds.dimensions} dimensions, not ${wide.values.length}`,
      );
    const pointing = vectors.filter(({ values }) => !isZero(values));
    let change: string | null = null;
    for (let at = 0; at < pointing.length; at += vectorizeBounds.upserted) {
      const { mutationId } = await this.#binding.upsert(
        pointing
          .slice(at, at + vectorizeBounds.upserted)
          .map(({ id, values }) => ({ id: this.#prefix + String(id), namespace: this.#namespace, values })),
      );
      change = mutationId;
    }
    return change;
  }

  async remove(ids: readonly number[]): Promise<void> {
    for (let at = 0; at < ids.length; at += vectorizeBounds.removed)
      await this.#binding.deleteByIds(
        ids.slice(at, at + vectorizeBounds.removed).map((id) => this.#prefix + String(id)),
      );
  }

  async nearest(query: Float32Array, limit: number): Promise<readonly Scored[]> {
    // A cosine with nothing is no number.
    if (isZero(query)) return [];
    const { matches } = await this.#binding.query(query, {
      topK: Math.min(Math.max(1, Math.trunc(limit)), vectorizeBounds.topK),
      namespace: this.#namespace,
      returnValues: false,
      returnMetadata: "none",
    });
    return matches
      .filter(({ id }) => id.startsWith(this.#prefix))
      .map(({ id, score }) => ({ id: Number(id.slice(this.#prefix.length)), score }));
  }
}

function isZero(values: Float32Array): boolean {
  return values.every((value) => value === 0);
}
