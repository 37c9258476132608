/** Which file, vector store or upload does an id mean for this caller: one of their own, one of the whole tenant, or none? */
import type { Jurisdiction, Owner } from "../contracts/owner.ts";
import type { KeyedHash } from "../turn/keyed-hash.ts";
import { verifyId } from "../turn/response-id.ts";

export type KnowledgeKind = "file" | "vectorStore" | "upload";

export interface KnowledgeRef {
  readonly id: string;
  /** Of a vector store: its object's name. */
  readonly objectName: string;
  readonly jurisdiction: Jurisdiction;
  /** The caller, or the whole tenant. */
  readonly owner: Owner;
  /** The whole tenant's: all its users may read it. */
  readonly isTenants: boolean;
}

/** The owner of what belongs to a whole tenant. No user is called so: user ids have at least one character. */
export function tenantAsOwner({ tenant }: Pick<Owner, "tenant">): Owner {
  return { tenant, user: "" };
}

/** `null`: an id that we did not make for this caller or its tenant. No object is asked. */
export async function resolveKnowledge(
  hash: KeyedHash,
  id: string,
  kind: KnowledgeKind,
  caller: Owner,
): Promise<KnowledgeRef | null> {
  for (const owner of [caller, tenantAsOwner(caller)]) {
    const verified = await verifyId(hash, id, owner);
    if (verified === null || verified.kind !== kind) continue;
    const { objectName, jurisdiction } = verified;
    return { id, objectName, jurisdiction, owner, isTenants: owner.user === "" };
  }
  return null;
}
