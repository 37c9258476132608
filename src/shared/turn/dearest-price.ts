import { dearest, freeOfCharge, type TokenPrice } from "../limits/cost.ts";
import type { FleetIndex, ModelVariant } from "../routing/fleet/fleet-index.ts";
import { modelRecord } from "../routing/fleet/fleet-index.ts";
import type { Candidate } from "./plan.ts";

/** The highest price of any cluster of these candidates, for prompt and for answer: a cost limit reserves by it. */
export function dearestPrice(fleet: FleetIndex, candidates: readonly Candidate[]): TokenPrice {
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return variantPrice(fleet, only);
  return dearest(candidates.map((candidate) => variantPrice(fleet, candidate)));
}

/** The highest price of a model over all clusters that serve it; 0 for an unknown model. */
export function modelPrice(fleet: FleetIndex, model: string): TokenPrice {
  return dearest(
    [...fleet.clusters.values()].flatMap((cluster) =>
      cluster.models.filter((record) => record.id === model).map((record) => record.price),
    ),
  );
}

/** Worked out once for each variant of a fleet document: this is asked for every request. */
const known = new WeakMap<ModelVariant, TokenPrice>();

function variantPrice(fleet: FleetIndex, { model, variant }: Candidate): TokenPrice {
  let price = known.get(variant);
  if (price === undefined) {
    price = dearest(
      variant.clusters.map((cluster) => modelRecord(fleet, cluster, model)?.price ?? freeOfCharge),
    );
    known.set(variant, price);
  }
  return price;
}
