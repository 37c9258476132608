/** How good is the search of knowledge bases on a judged collection? The product's own parts, over SQLite in Node. */
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { chunkBounds, chunkText } from "../../src/shared/retrieval/chunk.ts";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import type { Embedder, Reranker } from "../../src/shared/retrieval/ports.ts";
import { type Collection, type JudgedQuery, ndcg, recall } from "./collection.ts";
import { NodeSql } from "./node-sql.ts";

export interface SearchFigures {
  readonly ndcg10: number;
  readonly recall50: number;
  readonly msPerQuery: number;
}

export const ways = ["BM25 alone", "vectors alone", "hybrid", "hybrid + rerank"] as const;
export type Way = (typeof ways)[number];

const places = 50;

export class EvaluatedStore {
  readonly passages: number;
  readonly ingestMs: number;
  readonly #sql = new NodeSql();
  readonly #store = new PassageStore(this.#sql);
  readonly #embedder: Embedder;
  readonly #reranker: Reranker;

  private constructor(embedder: Embedder, reranker: Reranker, ingest: (store: PassageStore) => void) {
    this.#embedder = embedder;
    this.#reranker = reranker;
    const from = performance.now();
    ingest(this.#store);
    this.ingestMs = performance.now() - from;
    this.passages = this.#store.counts().passages;
  }

  static async of(
    { documents }: Pick<Collection, "documents">,
    embedder: Embedder = lexicalEmbedder,
    reranker: Reranker = lexicalReranker,
  ): Promise<EvaluatedStore> {
    const files = documents.map(({ id, text }) => ({
      id,
      passages: chunkText(text, {
        maxTokens: chunkBounds.usualTokens,
        overlapTokens: chunkBounds.usualOverlapTokens,
        kind: "plain",
      }),
    }));
    const vectors: (readonly Float32Array[])[] = [];
    for (const { passages } of files) {
      const embedded = await embedder.embed(
        passages.map(({ text }) => text),
        "passage",
      );
      if (!embedded.ok) throw new Error(embedded.error.kind);
      vectors.push(embedded.value);
    }
    return new EvaluatedStore(embedder, reranker, (store) => {
      for (const [at, file] of files.entries())
        store.put({
          ...file,
          filename: "",
          attributes: {},
          vectors: vectors[at] ?? null,
          embedderId: embedder.id,
        });
    });
  }

  async evaluate(queries: readonly JudgedQuery[], way: Way): Promise<SearchFigures> {
    let [gain, found, ms] = [0, 0, 0];
    for (const { text, relevant } of queries) {
      const from = performance.now();
      const documents = await this.search(text, way);
      ms += performance.now() - from;
      gain += ndcg(documents, relevant, 10);
      found += recall(documents, relevant, places);
    }
    const { length } = queries;
    return { ndcg10: gain / length, recall50: found / length, msPerQuery: ms / length };
  }

  /** Documents, best first, each at the rank of its best passage. */
  async search(query: string, way: Way): Promise<string[]> {
    const passages = await this.#passages(query, way);
    return [...new Set(passages.map(({ fileId }) => fileId))];
  }

  close(): void {
    this.#sql.close();
  }

  async #passages(query: string, way: Way) {
    const store = this.#store;
    if (way === "BM25 alone")
      return store.passages(store.byWords(query, places, "all").map((id) => ({ id, score: 0 })));
    if (way === "vectors alone") {
      const embedded = await this.#embedder.embed([query], "query");
      const [vector] = embedded.ok ? embedded.value : [];
      if (vector === undefined) throw new Error("the query has no vector");
      return store.passages(store.byVector(vector, this.#embedder.id, places, "all"));
    }
    const found = await findPassages(
      {
        queries: [query],
        maxResults: places,
        filters: null,
        scoreThreshold: 0,
        rerank: way === "hybrid + rerank",
      },
      { store, embedder: this.#embedder, reranker: this.#reranker },
    );
    if (!found.ok) throw new Error(found.error.kind);
    return found.value.passages;
  }
}
