/** What every turn takes from the request that asked for it. */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { ValidatedTurn } from "../../src/shared/turn/ports.ts";
import type { TenantCall } from "./handle.ts";
import { placeOf } from "./place.ts";

export function turnOf(
  call: TenantCall,
  responseId: string,
  chargeId: ChargeId,
): Omit<ValidatedTurn, "asked"> {
  const { c, scope, principal, tenant } = call;
  return {
    principal,
    tenant,
    recall: null,
    responseId,
    chargeId,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    place: placeOf(c.req.raw),
    cacheControl: c.req.header("cache-control") ?? null,
    createdMs: scope.startedMs,
    mark: (stage) => scope.mark(stage),
  };
}
