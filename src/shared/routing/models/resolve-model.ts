/**
 * Which models, and at which clusters, can answer what a client asked for? Pure, over the precomputed index; the planner
 * takes the first that composes, the router scores the clusters of the variant it was given.
 */
import type { Capability } from "../fleet/fleet-config.ts";
import type { FleetIndex, ListedModel, ModelCandidate, ModelVariant } from "../fleet/fleet-index.ts";

/** What a request needs of a model. */
export interface ModelNeeds {
  readonly capabilities: readonly Capability[];
  /** Tokens of prompt and least answer together, if already known. */
  readonly windowTokens?: number;
}

export type ModelResolution =
  /** In the order to try; each with at least one variant that has all that is needed. */
  | { readonly kind: "resolved"; readonly candidates: readonly ModelCandidate[] }
  | { readonly kind: "unknown" }
  /** The name exists, but none of its models can do this. */
  | { readonly kind: "incapable"; readonly capability: Capability }
  | { readonly kind: "window-too-small"; readonly windowTokens: number };

/** Those of the models behind a name that can serve these needs. */
export function resolveAmong(known: readonly ModelCandidate[], needs: ModelNeeds): ModelResolution {
  if (known.length === 0) return { kind: "unknown" };
  const candidates: ModelCandidate[] = [];
  for (const candidate of known) {
    const variants = candidate.variants.filter((variant) => suits(variant, needs));
    if (variants.length === candidate.variants.length) candidates.push(candidate);
    else if (variants.length > 0) candidates.push({ id: candidate.id, variants });
  }
  return candidates.length > 0 ? { kind: "resolved", candidates } : whyNone(known, needs);
}

/** All that clients may ask for: aliases first, then the models. Each name once. */
export function listModels(index: FleetIndex): readonly ListedModel[] {
  return index.listing;
}

function suits(variant: ModelVariant, needs: ModelNeeds): boolean {
  return (
    (needs.windowTokens ?? 0) <= variant.record.context_window &&
    needs.capabilities.every((capability) => variant.record.capabilities.includes(capability))
  );
}

/** A capability that all lack is the better reason than a window: the client can't mend it by a shorter prompt. */
function whyNone(known: readonly ModelCandidate[], needs: ModelNeeds): ModelResolution {
  const variants = known.flatMap((candidate) => candidate.variants);
  const capable = variants.filter((variant) =>
    needs.capabilities.every((capability) => variant.record.capabilities.includes(capability)),
  );
  if (capable.length > 0) {
    const windowTokens = Math.max(...capable.map((variant) => variant.record.context_window));
    return { kind: "window-too-small", windowTokens };
  }
  const missing =
    needs.capabilities.find(
      (capability) => !variants.some((variant) => variant.record.capabilities.includes(capability)),
    ) ?? needs.capabilities[0];
  return missing === undefined ? { kind: "unknown" } : { kind: "incapable", capability: missing };
}
