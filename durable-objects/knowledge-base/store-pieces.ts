import type { KnowledgeParts } from "./knowledge-parts.ts";
import type { KnowledgeStore } from "./knowledge-store.ts";
import type { OutsideMoves } from "./outside-moves.ts";
import type { PassageStore } from "./passage-store.ts";
import type { StoreRemovals } from "./store-removals.ts";

/** What one vector store's object is made of: each change of it takes several of these, in one transaction. */
export interface StorePieces {
  readonly storage: DurableObjectStorage;
  readonly store: KnowledgeStore;
  readonly passages: PassageStore;
  readonly removals: StoreRemovals;
  readonly outside: OutsideMoves;
  readonly parts: KnowledgeParts;
}
