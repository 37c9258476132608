import { semanticIndexName } from "../../src/shared/contracts/semantic-index.ts";
import type { SemanticIndexObject } from "./semantic-index.ts";
import type { StoredOwner } from "./entry-store.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";

/** The object of this owner. A stub is made for each call: one that failed stays broken. */
export function indexStub(
  env: Pick<Cloudflare.Env, "SEMANTIC_INDEX" | "ENVIRONMENT">,
  owner: StoredOwner,
): DurableObjectStub<SemanticIndexObject> {
  return inJurisdiction(env.SEMANTIC_INDEX, owner.jurisdiction, env.ENVIRONMENT).getByName(
    semanticIndexName(owner),
  );
}
