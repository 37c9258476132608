/** Which models may answer this request, in which order? Pure. */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Capability } from "../routing/fleet-config.ts";
import type { FleetIndex, ModelVariant } from "../routing/fleet-index.ts";
import { resolveModel } from "../routing/resolve-model.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";

/** One way to answer: a model at the clusters that serve it alike. */
export interface Candidate {
  /** The model's id in the fleet file: what answers carry as `model`. */
  readonly model: string;
  readonly variant: ModelVariant;
}

/** At least one, in the order to try. */
export type Plan = readonly [Candidate, ...Candidate[]];

/** A model that the tenant may not use is answered as one that does not exist. */
export function planModel(
  fleet: FleetIndex,
  tenant: TenantConfig,
  name: string,
  capabilities: readonly Capability[],
): Result<Plan, Refusal> {
  if (!mayUse(tenant, name)) return err({ kind: "model-unknown", model: name });
  const resolution = resolveModel(fleet, name, { capabilities });
  switch (resolution.kind) {
    case "resolved": {
      const [first, ...rest] = resolution.candidates.flatMap((candidate) =>
        candidate.variants.map((variant) => ({ model: candidate.id, variant })),
      );
      return first === undefined ? err({ kind: "model-unknown", model: name }) : ok([first, ...rest]);
    }
    case "unknown":
      return err({ kind: "model-unknown", model: name });
    case "incapable":
      return err({
        kind: "parameter-unsupported",
        param: "model",
        message: `The model '${name}' can't do this: it lacks the capability '${resolution.capability}'.`,
      });
    case "window-too-small":
      return err({
        kind: "context-too-long",
        windowTokens: resolution.windowTokens,
        promptTokens: 0,
        answerTokens: 1,
      });
  }
}

export function mayUse(tenant: TenantConfig, name: string): boolean {
  const { allow } = tenant.models;
  return allow[0] === "*" || allow.includes("*") || allow.includes(name);
}
