import type { StoredIn } from "../../src/shared/contracts/library.ts";
import type { FileAddress } from "../../src/shared/retrieval/file-contents.ts";
import type { DocumentReader, Embedder, Reranker } from "../../src/shared/retrieval/ports.ts";
import type { OutsideParts } from "./outside-moves.ts";

export interface SearchModels {
  readonly embedder: Embedder;
  readonly reranker: Reranker;
}

/** The id of an embedder that fails whatever it is asked: what there is can't be said now. */
export const noEmbedder = "none";

/** What the mount gives a KnowledgeBase object. */
export interface KnowledgeParts extends OutsideParts {
  /** `null`: there are no such bytes (any more). */
  open(file: FileAddress, storedIn: StoredIn): Promise<ReadableStream<Uint8Array> | null>;
  /** `null`: no document reader is bound. */
  readonly documents: DocumentReader | null;
  /** How many passages a store of the tenant may hold, as configured now; `null`: that is unknown, or no index is bound. */
  mostPassages(tenant: string): Promise<number | null>;
  /** As the tenant is configured now. */
  models(tenant: string): Promise<SearchModels>;
}
