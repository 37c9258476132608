import type { Capability, Cluster } from "../../src/shared/routing/fleet/fleet-config.ts";

/** Which models does a replica serve, and what can each do? Read from the fleet document, the single source for both. */
export type TokenFamily = "llama" | "qwen";

export interface ServedModel {
  /** The engine's name for it, which requests have as `model`. */
  readonly name: string;
  readonly family: TokenFamily;
  /** vLLM's `max_model_len`. */
  readonly contextWindow: number;
  readonly capabilities: ReadonlySet<Capability>;
  /** The date that the engine's own chat template shows. */
  readonly templateDate: string;
}

/** The models of a cluster by served name. Records that share one (the same engine under two APIs) are one model. */
export function servedModels(cluster: Cluster): ReadonlyMap<string, ServedModel> {
  const models = new Map<string, ServedModel>();
  for (const record of cluster.models) {
    const known = models.get(record.served_name);
    models.set(record.served_name, {
      name: record.served_name,
      family: /qwen/i.test(record.served_name) ? "qwen" : "llama",
      contextWindow: Math.max(known?.contextWindow ?? 0, record.context_window),
      capabilities: new Set([...(known?.capabilities ?? []), ...record.capabilities]),
      templateDate: known?.templateDate ?? record.template_date,
    });
  }
  return models;
}
