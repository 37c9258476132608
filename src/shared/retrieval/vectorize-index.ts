/**
 * A store's vectors in Vectorize, for stores beyond what an object compares by itself. Never run for real: it does not run offline; tested
 * against its documented shape (https://developers.cloudflare.com/vectorize/).
 *
 * What it writes is found some seconds later, and what it removes is found some seconds longer: the store's object, which knows the
 * passages that there are, drops what it does not know (find-passages.ts). Ids are one per index, not per namespace, so that each carries
 * its namespace.
 */
import type { VectorIndex } from "./ports.ts";

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
}

/** https://developers.cloudflare.com/vectorize/platform/limits/ */
const vectorizeBounds = {
  /** Of one upsert from a Worker; deletions are sent by as many. */
  batch: 1000,
  /** Without values and metadata. */
  topK: 100,
  dimensions: 1536,
} as const;

/** Hexadecimal digits: 128 bits, so that no two stores meet. With a passage's number behind it, an id has under its 64 bytes. */
const namespaceCharacters = 32;

/** A tenant's store by its own namespace, whose name tells neither. The index must be made with `--metric=cosine`. */
export async function vectorizeIndex(
  binding: VectorizeBinding,
  owner: { readonly tenant: string; readonly storeId: string },
): Promise<VectorIndex> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(JSON.stringify([owner.tenant, owner.storeId])),
  );
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return new VectorizeNamespace(binding, hex.slice(0, namespaceCharacters));
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

  async upsert(vectors: readonly { readonly id: string; readonly values: Float32Array }[]): Promise<void> {
    const wide = vectors.find(({ values }) => values.length > vectorizeBounds.dimensions);
    if (wide !== undefined)
      throw new RangeError(
        `Vectorize takes ${vectorizeBounds.dimensions} dimensions, not ${wide.values.length}`,
      );
    for (let at = 0; at < vectors.length; at += vectorizeBounds.batch)
      await this.#binding.upsert(
        vectors
          .slice(at, at + vectorizeBounds.batch)
          .map(({ id, values }) => ({ id: this.#prefix + id, namespace: this.#namespace, values })),
      );
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += vectorizeBounds.batch)
      await this.#binding.deleteByIds(
        ids.slice(at, at + vectorizeBounds.batch).map((id) => this.#prefix + id),
      );
  }

  async nearest(
    query: Float32Array,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly score: number }[]> {
    const { matches } = await this.#binding.query(query, {
      topK: Math.min(Math.max(1, Math.trunc(limit)), vectorizeBounds.topK),
      namespace: this.#namespace,
      returnValues: false,
      returnMetadata: "none",
    });
    return matches
      .filter(({ id }) => id.startsWith(this.#prefix))
      .map(({ id, score }) => ({ id: id.slice(this.#prefix.length), score }));
  }
}
