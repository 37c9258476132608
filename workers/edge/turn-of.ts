/** The fields that every turn takes from its request. */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { ValidatedTurn } from "../../src/shared/turn/ports.ts";
import type { TenantCall } from "./handle.ts";
import { placeOf } from "./place.ts";

/** @param id of the answer, by which its charge is known as well */
export function turnOf(call: TenantCall, id: string): Omit<ValidatedTurn, "asked"> {
  const { c, scope, principal, tenant } = call;
  return {
    principal,
    tenant,
    recall: null,
    ground: null,
    responseId: id,
    chargeId: id as ChargeId,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    place: placeOf(c.req.raw),
    cacheControl: c.req.header("cache-control") ?? null,
    createdMs: scope.startedMs,
    mark: (stage) => scope.mark(stage),
  };
}
