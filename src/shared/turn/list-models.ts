/** Which models may this tenant ask for? By its `models.allow` and its permitted regions, the same rules as planModel's. Pure. */
import {
  listed,
  type FleetIndex,
  type ListedModel,
  type ModelCandidate,
} from "../routing/fleet/fleet-index.ts";
import { permittedCandidates } from "../routing/models/residency.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { mayUse } from "./plan.ts";

/** Aliases first, then the models. Each name once. */
export function modelsFor(fleet: FleetIndex, tenant: TenantConfig): readonly ListedModel[] {
  return fleet.listing.flatMap((model) =>
    mayUse(tenant, model.id) ? (permitted(fleet, model, tenant) ?? []) : [],
  );
}

/** As served by the clusters that may see this tenant's prompts; null if none of them serves it. */
function permitted(fleet: FleetIndex, model: ListedModel, tenant: TenantConfig): ListedModel | null {
  const all = fleet.names.get(model.id) ?? [];
  const left = permittedCandidates(all, tenant);
  const [first] = left;
  if (first === undefined) return null;
  if (variantsOf(left) === variantsOf(all)) return model;
  const { created } = fleet.listing.find(({ id, kind }) => kind === "model" && id === first.id) ?? model;
  return listed(model.id, model.kind, left, created);
}

function variantsOf(candidates: readonly ModelCandidate[]): number {
  return candidates.reduce((sum, { variants }) => sum + variants.length, 0);
}
