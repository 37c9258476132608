/**
 * Where may a tenant's prompts be computed? By its jurisdiction (only clusters that are said to lie in it) and by the regions that its
 * configuration allows. Applied to a model's variants before any cluster is scored: a cluster that is not permitted does not exist for
 * retries, continuation, hedging or shadows.
 */
import type { ClusterPlace, ModelCandidate, ModelVariant } from "../fleet/fleet-index.ts";

/** The part of a tenant's configuration that is read here. */
export interface ResidencyPolicy {
  readonly jurisdiction: "none" | "eu";
  /** `region` of clusters; `*`: all. */
  readonly models: { readonly regions: readonly string[] };
}

/** Variants live as long as a fleet document: what was worked out for a policy is kept with them. */
const remembered = new WeakMap<ModelVariant, Map<string, ModelVariant | null>>();

/** The models that some permitted cluster serves, each as those do; the same list where all are. */
export function permittedCandidates(
  candidates: readonly ModelCandidate[],
  policy: ResidencyPolicy,
): readonly ModelCandidate[] {
  if (permitsAll(policy)) return candidates;
  return candidates.flatMap(({ id, variants: all }) => {
    const variants = all.flatMap((variant) => permittedVariant(variant, policy) ?? []);
    return variants.length === 0 ? [] : [{ id, variants }];
  });
}

function permitsAll({ jurisdiction, models: { regions } }: ResidencyPolicy): boolean {
  return jurisdiction === "none" && regions[0] === "*";
}

/** The variant with the permitted clusters alone; null where there is none. The same object where all are. */
export function permittedVariant(variant: ModelVariant, policy: ResidencyPolicy): ModelVariant | null {
  if (permitsAll(policy)) return variant;
  const known = remembered.get(variant) ?? new Map<string, ModelVariant | null>();
  remembered.set(variant, known);
  const key = `${policy.jurisdiction} ${policy.models.regions.join("\n")}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const places = variant.places.filter((place) => permits(policy, place));
  const permitted =
    places.length === 0
      ? null
      : places.length === variant.places.length
        ? variant
        : { ...variant, places, clusters: places.map(({ cluster }) => cluster) };
  known.set(key, permitted);
  return permitted;
}

function permits({ jurisdiction, models: { regions } }: ResidencyPolicy, place: ClusterPlace): boolean {
  if (jurisdiction !== "none" && place.jurisdiction !== jurisdiction) return false;
  return regions.includes("*") || regions.includes(place.region);
}
