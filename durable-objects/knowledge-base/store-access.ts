/** Is this message from the vector store's owner, and in a known version? */
import { knowledgeBaseVersion, type KnowledgeFailure } from "../../src/shared/contracts/knowledge-base.ts";
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";
import type { Head } from "./knowledge-store.ts";

export type Access =
  | { readonly kind: "open" }
  /** There is no such store yet. */
  | { readonly kind: "unmade" }
  | { readonly kind: "refused"; readonly failure: KnowledgeFailure };

/** The id's tag was checked at the edge, and the owner is checked here, so that one mistake opens nothing. A deleted store is unknown. */
export function accessTo(
  head: Head | null,
  { v, owner }: { readonly v: number; readonly owner: Owner },
): Access {
  if (v !== knowledgeBaseVersion)
    return { kind: "refused", failure: { result: "version-unsupported", supported: knowledgeBaseVersion } };
  if (head === null) return { kind: "unmade" };
  return head.deletedMs === null && sameOwner(head.owner, owner)
    ? { kind: "open" }
    : { kind: "refused", failure: { result: "unknown" } };
}
