/**
 * An operation that reaches no model but costs storage, a search or a reader counts as one request of its caller's limits, and no tokens:
 * otherwise nothing would bound how often it is done. Which do: src/shared/wire/route-costs.ts.
 */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, type Result } from "../../src/shared/contracts/result.ts";
import { admitRequest, onlyRequest } from "../../src/shared/limits/admit-request.ts";
import { rateLimitHeaders } from "../../src/shared/limits/limit-headers.ts";
import { unused } from "../../src/shared/limits/ports.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";
import type { TenantCall } from "./handle.ts";
import { placeOf } from "./place.ts";
import type { HeaderRecord } from "./respond.ts";

/** What came of it, or why it may not be done; `headers` say what is left of the limits, where it was admitted. */
export type Counted<T> = Result<T, Refusal> & { readonly headers: HeaderRecord };

/**
 * Given back where nothing came of it.
 *
 * @param work calls `spent` before it takes a file's bytes or reads them anew: from then on it counts whatever comes of it, unless the fault is ours
 */
export async function asOneRequest<T>(
  { c, scope, isolate, principal, tenant }: TenantCall,
  work: (spent: () => void) => Promise<Result<T, Refusal>>,
): Promise<Counted<T>> {
  const admitted = await admitRequest(isolate.admission(scope.background), {
    principal,
    tenant,
    chargeId: `request-${randomHex(16)}` as ChargeId,
    place: placeOf(c.req.raw),
  });
  scope.mark("admit");
  if (!admitted.ok) return { ...err(admitted.error), headers: {} };
  let isSpent = false;
  let counts = false;
  try {
    const result = await work(() => {
      isSpent = true;
    });
    counts = result.ok || (isSpent && isClients(scope, result.error));
    return { ...result, headers: rateLimitHeaders(admitted.value.standing) };
  } finally {
    admitted.value.settle(counts ? onlyRequest(null) : unused);
  }
}

function isClients(
  { correlation: { requestId }, record: { method } }: TenantCall["scope"],
  refusal: Refusal,
) {
  return toWireError(refusal, { requestId, method }).status < 500;
}
