/**
 * Which models can be asked for by which names, and who serves them? Answered once per fleet document, so that a request
 * costs a look-up. Pure; holds no health: that is src/shared/routing/router-state.ts.
 */
import { answeringModels } from "./alias-config.ts";
import { aliasRoute, type AliasRoute } from "./alias-route.ts";
import type { Capability, Cluster, Fleet, ModelRecord } from "./fleet-config.ts";

/** Clusters that serve one model so alike that one body does for all of them. */
export interface ModelVariant {
  /** The record of the first of these clusters; what shapes the body (names, API, template, window, features) is equal in all. */
  readonly record: ModelRecord;
  readonly engine: Cluster["engine"];
  readonly clusters: readonly string[];
  /** Where these clusters are, in the same order. */
  readonly places: readonly ClusterPlace[];
}

export interface ClusterPlace {
  readonly cluster: string;
  readonly region: string;
  readonly jurisdiction: Cluster["jurisdiction"];
}

/** One model that a name stands for. */
export interface ModelCandidate {
  readonly id: string;
  readonly variants: readonly ModelVariant[];
}

/** One line of `/v1/models`. */
export interface ListedModel {
  readonly id: string;
  readonly kind: "alias" | "model";
  /** The model ids behind an alias, in their order; of a model, itself. */
  readonly models: readonly string[];
  /** Of the model that is tried first: the largest window of its variants, in tokens. */
  readonly contextWindow: number;
  /** Since when that one is in the fleet, in seconds since 1970; 0: its document does not say. */
  readonly created: number;
  readonly capabilities: readonly Capability[];
}

export interface FleetIndex {
  readonly version: string;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** By alias and by model id. An alias hides a model of the same name. */
  readonly names: ReadonlyMap<string, readonly ModelCandidate[]>;
  /** Of the aliases that have a choice to make for each request, or a shadow: empty in a plain fleet. */
  readonly routes: ReadonlyMap<string, AliasRoute>;
  /** Whether some alias has a shadow. */
  readonly hasShadow: boolean;
  /** Whether some cluster is of the engine that is asked last, wherever an alias names it. */
  readonly hasLastResort: boolean;
  readonly listing: readonly ListedModel[];
}

/** Builds the index of a checked fleet document. */
export function buildFleetIndex(fleet: Fleet): FleetIndex {
  const models = new Map<string, ModelCandidate>();
  for (const [id, variants] of variantsByModel(fleet)) models.set(id, { id, variants });
  const names = new Map<string, readonly ModelCandidate[]>();
  const routes = new Map<string, AliasRoute>();
  const listing: ListedModel[] = [];
  const created = createdByModel(fleet);
  for (const [name, alias] of Object.entries(fleet.aliases)) {
    const ids = new Set(answeringModels(alias).map(({ id }) => id));
    const candidates = [...ids].flatMap((id) => models.get(id) ?? []);
    names.set(name, candidates);
    listing.push(listed(name, "alias", candidates, created.get(candidates[0]?.id ?? "")));
    const route = aliasRoute(name, alias, models);
    if (route !== null) routes.set(name, route);
  }
  for (const [id, candidate] of models) {
    if (names.has(id)) continue;
    names.set(id, [candidate]);
    listing.push(listed(id, "model", [candidate], created.get(id)));
  }
  return {
    version: fleet.version,
    clusters: new Map(fleet.clusters.map((cluster) => [cluster.id, cluster])),
    names,
    routes,
    hasShadow: [...routes.values()].some(({ shadow }) => shadow !== null),
    hasLastResort: fleet.clusters.some((cluster) => isLastResort(cluster.engine)),
    listing,
  };
}

/** Is there a choice at all among the replicas of these clusters? A pool's may join at any time. */
export function hasSeveralReplicas({ clusters }: FleetIndex, ids: readonly string[]): boolean {
  if (ids.length > 1) return true;
  const only = clusters.get(ids[0] ?? "");
  return only !== undefined && (only.replicas.length > 1 || only.pool);
}

/** The record under which a cluster serves a model: prices and speeds, which may differ between the clusters of a variant. */
export function modelRecord(index: FleetIndex, cluster: string, model: string): ModelRecord | null {
  return index.clusters.get(cluster)?.models.find((record) => record.id === model) ?? null;
}

function variantsByModel(fleet: Fleet): Map<string, ModelVariant[]> {
  const groups = new Map<
    string,
    Map<
      string,
      { record: ModelRecord; engine: Cluster["engine"]; clusters: string[]; places: ClusterPlace[] }
    >
  >();
  for (const cluster of fleet.clusters) {
    for (const record of cluster.models) {
      const group = groups.get(record.id) ?? new Map();
      groups.set(record.id, group);
      const key = bodyKey(cluster, record);
      const variant = group.get(key) ?? { record, engine: cluster.engine, clusters: [], places: [] };
      group.set(key, variant);
      if (variant.clusters.includes(cluster.id)) continue;
      variant.clusters.push(cluster.id);
      variant.places.push({
        cluster: cluster.id,
        region: cluster.region,
        jurisdiction: cluster.jurisdiction,
      });
    }
  }
  return new Map([...groups].map(([id, group]) => [id, lastResortLast([...group.values()])]));
}

/** Workers AI is the fleet of last resort: another company's GPUs, at another price. */
function isLastResort(engine: Cluster["engine"]): boolean {
  return engine === "workers-ai";
}

/** In the same order, but what runs on the engine of last resort after all else. */
export function lastResortLast<T extends { readonly engine: Cluster["engine"] }>(all: readonly T[]): T[] {
  return [
    ...all.filter(({ engine }) => !isLastResort(engine)),
    ...all.filter(({ engine }) => isLastResort(engine)),
  ];
}

/** Everything of a record that can change the body or the answer's meaning; prices and speeds do neither. */
function bodyKey(cluster: Cluster, record: ModelRecord): string {
  return JSON.stringify([
    cluster.engine,
    record.served_name,
    record.weights,
    record.api,
    record.template ?? null,
    record.template_date,
    record.context_window,
    record.max_output_tokens ?? null,
    [...record.capabilities].sort(),
    Object.entries(record.engine_features).sort(([left], [right]) => (left < right ? -1 : 1)),
  ]);
}

/** At the cluster that had it first. */
function createdByModel({ clusters }: Fleet): ReadonlyMap<string, number> {
  const earliest = new Map<string, number>();
  for (const { id, created } of clusters.flatMap(({ models }) => models))
    if (created !== undefined) earliest.set(id, Math.min(created, earliest.get(id) ?? created));
  return earliest;
}

/** @param created of the first candidate, in seconds since 1970 */
export function listed(
  id: string,
  kind: ListedModel["kind"],
  candidates: readonly ModelCandidate[],
  created = 0,
): ListedModel {
  const variants = candidates[0]?.variants ?? [];
  return {
    id,
    kind,
    models: candidates.map((candidate) => candidate.id),
    created,
    contextWindow: Math.max(0, ...variants.map((variant) => variant.record.context_window)),
    capabilities: [...new Set(variants.flatMap((variant) => variant.record.capabilities))],
  };
}
