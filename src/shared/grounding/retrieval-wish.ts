/** Does this turn want passages, and from which stores? From its request and its tenant's configuration. Pure. */
import type { AttributeFilter } from "../retrieval/attribute-filter.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { AskedRetrieval } from "../wire/retrieval-fields.ts";

export interface RetrievalWish {
  readonly storeIds: readonly string[];
  readonly maxResults: number;
  readonly filters: AttributeFilter | null;
  readonly scoreThreshold: number;
  readonly rerank: boolean;
  /** The tenant's own stores, which the client did not name: one that is unknown is no fault of the request. */
  readonly isDefault: boolean;
}

/** As much of the configuration as is read here. A turn that older code claimed knows of none. */
interface Configured {
  readonly retrieval?: Pick<
    TenantConfig["retrieval"],
    "default_vector_store_ids" | "max_results" | "budget_ms"
  >;
}

/** `null`: none. @param asked `undefined`: the request says nothing; `false`: it wants none */
export function retrievalWish(
  asked: AskedRetrieval | false | undefined,
  tenant: Configured,
): RetrievalWish | null {
  if (asked === false) return null;
  const { retrieval } = tenant;
  const maxResults = retrieval?.max_results ?? usualResults;
  if (asked !== undefined) {
    const { ranking_options: ranking } = asked;
    return {
      storeIds: asked.vector_store_ids,
      maxResults: asked.max_num_results ?? maxResults,
      filters: asked.filters ?? null,
      scoreThreshold: ranking?.score_threshold ?? 0,
      rerank: ranking?.ranker !== "none",
      isDefault: false,
    };
  }
  const stores = retrieval?.default_vector_store_ids;
  if (stores === undefined || stores.length === 0) return null;
  return { storeIds: stores, maxResults, filters: null, scoreThreshold: 0, rerank: true, isDefault: true };
}

/** How long a search may take, in milliseconds. */
export function retrievalBudgetMs(tenant: Configured): number {
  return tenant.retrieval?.budget_ms ?? usualBudgetMs;
}

/** Where a tenant says nothing: what tenancy/tenant-config.ts takes as its defaults. */
const usualResults = 8;
const usualBudgetMs = 200;
