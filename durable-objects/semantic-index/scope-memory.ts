import type { PackedVector } from "../../src/shared/cache/semantic/vector-bytes.ts";

/** One entry's vector, and what identifies it. */
export interface KeptVector {
  readonly sequence: number;
  readonly answerKey: string;
  readonly expiresMs: number;
  readonly packed: PackedVector;
}

/**
 * The vectors of recently searched scopes in memory, so that a search compares them without reading them from SQLite: of 2,000 of 1,024
 * dimensions SQLite takes ten times as long to hand the rows out as comparing them takes. Never more than the table holds; storage is the
 * truth.
 *
 * A scope that holds nothing is not remembered: there are as many of those as there are requests with instructions of their own.
 */
export class ScopeMemory {
  readonly #scopes = new Map<string, KeptVector[]>();

  of(scope: string, read: () => KeptVector[]): readonly KeptVector[] {
    const known = this.#scopes.get(scope);
    if (known !== undefined) return known;
    const found = read();
    this.#set(scope, found);
    return found;
  }

  /** A scope is only read when it is first looked at. */
  keep(scope: string, vector: KeptVector): void {
    const known = this.#scopes.get(scope);
    if (known === undefined) return;
    const others = known.filter(({ answerKey }) => answerKey !== vector.answerKey);
    this.#scopes.set(scope, [...others, vector]);
  }

  remove(gone: readonly { readonly scope: string; readonly sequence: number }[]): void {
    for (const { scope, sequence } of gone) {
      const known = this.#scopes.get(scope);
      if (known === undefined) continue;
      this.#set(
        scope,
        known.filter((one) => one.sequence !== sequence),
      );
    }
  }

  /** How many are remembered. */
  get size(): number {
    return this.#scopes.size;
  }

  #set(scope: string, vectors: KeptVector[]): void {
    if (vectors.length === 0) this.#scopes.delete(scope);
    else this.#scopes.set(scope, vectors);
  }

  /** The next search reads anew. */
  forget(): void {
    this.#scopes.clear();
  }
}
