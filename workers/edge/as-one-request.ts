/**
 * An operation that reaches no model but costs storage or a search counts as one request of its caller's limits, and no tokens: otherwise
 * nothing would bound how often it is done.
 */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { admitRequest, onlyRequest } from "../../src/shared/limits/admit-request.ts";
import { type TurnUse, unused } from "../../src/shared/limits/ports.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { TenantCall } from "./handle.ts";
import { placeOf } from "./place.ts";

/** @returns what came of it, given back where nothing did; or why it may not be done */
export async function asOneRequest<T>(
  { c, scope, isolate, principal, tenant }: TenantCall,
  work: () => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  const admitted = await admitRequest(isolate.admission(scope.background), {
    principal,
    tenant,
    chargeId: `request-${randomHex(16)}` as ChargeId,
    place: placeOf(c.req.raw),
  });
  scope.mark("admit");
  if (!admitted.ok) return err(admitted.error);
  let use: TurnUse = unused;
  try {
    const result = await work();
    if (!result.ok) return result;
    use = onlyRequest(null);
    return ok(result.value);
  } finally {
    admitted.value.settle(use);
  }
}
