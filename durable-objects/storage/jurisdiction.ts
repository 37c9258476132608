import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";

/**
 * The namespace whose objects live where the tenant's jurisdiction says. workerd itself does not implement
 * jurisdictions, so that locally all objects share one namespace; their names differ by tenant anyway.
 */
export function inJurisdiction<T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
  jurisdiction: Jurisdiction,
  environment: Cloudflare.Env["ENVIRONMENT"],
): DurableObjectNamespace<T> {
  return jurisdiction === "none" || environment === "local"
    ? namespace
    : namespace.jurisdiction(jurisdiction);
}
