import { WorkerEntrypoint } from "cloudflare:workers";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import type { VectorizeBinding } from "../../src/shared/retrieval/vectorize-index.ts";
import { FakeVectorize } from "./fake-vectorize.ts";

/** What is behind the binding, of all tests of a file. */
export const boundVectorize = new FakeVectorize(lexicalEmbedder.dimensions);

/** Vectorize's shape behind the binding `VECTORS`: what passes goes over a service binding, as it does in production. */
export class Vectors extends WorkerEntrypoint implements VectorizeBinding {
  upsert(...asked: Parameters<VectorizeBinding["upsert"]>) {
    return boundVectorize.upsert(...asked);
  }
  deleteByIds(...asked: Parameters<VectorizeBinding["deleteByIds"]>) {
    return boundVectorize.deleteByIds(...asked);
  }
  query(...asked: Parameters<VectorizeBinding["query"]>) {
    return boundVectorize.query(...asked);
  }
  describe() {
    return boundVectorize.describe();
  }
}
