/** The vector stores that a caller may search, as a turn and the search route ask them (src/shared/retrieval/ports.ts). */
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { err, ok } from "../../src/shared/contracts/result.ts";
import { resolveKnowledge } from "../../src/shared/retrieval/knowledge-ref.ts";
import type { KnowledgeSource } from "../../src/shared/retrieval/ports.ts";
import { askStore, storeExpired } from "./ask-knowledge.ts";
import type { Isolate } from "./isolate.ts";

/** @param caller may search their own stores and those of their whole tenant; all others are unknown, and no object is asked */
export function knowledgeSource({ env, hash }: Isolate, caller: Owner): KnowledgeSource {
  return {
    async search(storeId, search) {
      const store = await resolveKnowledge(hash, storeId, "vectorStore", caller);
      if (store === null) return err({ kind: "object-unknown" });
      const searched = await askStore(env, store, async (stub, message) =>
        stub.search({ ...message, search }),
      );
      if (!searched.ok) return searched;
      const outcome = searched.value;
      switch (outcome.result) {
        case "ok": {
          const { passages, contentVersion, lacking } = outcome;
          return ok({ passages, contentVersion, ...(lacking === undefined ? {} : { lacking }) });
        }
        case "expired":
          return err(storeExpired);
        case "refused":
          return err(outcome.refusal);
      }
    },
  };
}

/**
 * Whether the id is one that we made for this caller or its tenant. No object is asked: it may be deleted by now.
 * @public a turn asks it before it is admitted
 */
export async function storeKnown({ hash }: Isolate, caller: Owner, storeId: string): Promise<boolean> {
  return (await resolveKnowledge(hash, storeId, "vectorStore", caller)) !== null;
}
