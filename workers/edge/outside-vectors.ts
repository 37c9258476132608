/** Where vectors of large stores may lie outside of their objects: Vectorize, where it is bound. */
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import { passagesPerStore } from "../../src/shared/retrieval/outside-bounds.ts";
import type { OutsideVectors } from "../../src/shared/retrieval/ports.ts";
import { vectorizeVectors } from "../../src/shared/retrieval/vectorize-index.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";

type VectorsEnv = Pick<Cloudflare.Env, "VECTORS">;

/** Vectorize has no jurisdictions: data of a tenant with one never goes into it. */
export function outsideVectors({
  VECTORS: binding,
}: VectorsEnv): (jurisdiction: Jurisdiction) => OutsideVectors | null {
  const outside = binding === undefined ? null : vectorizeVectors(binding);
  return (jurisdiction) => (jurisdiction === "none" ? outside : null);
}

/** How many passages a vector store of this tenant may hold in this environment. */
export function mostPassages(
  { VECTORS: binding }: VectorsEnv,
  { retrieval, jurisdiction }: Pick<TenantConfig, "retrieval" | "jurisdiction">,
): number {
  return passagesPerStore(retrieval, binding !== undefined && jurisdiction === "none");
}
