/** May a guard model be asked on this caller's behalf, before its turn is admitted? */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import { admitRequest } from "../../src/shared/limits/admit-request.ts";
import type { AdmissionFailure } from "../../src/shared/limits/admission-failure.ts";
import { timedOut, within } from "../../src/shared/isolate/shared-load.ts";
import { type Admission, unused } from "../../src/shared/limits/ports.ts";
import { limitsOf } from "../../src/shared/limits/principal-limits.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { JudgedCaller } from "./fleet-moderator.ts";
import { inspectBucket } from "./inspect-bucket.ts";
import type { Isolate } from "./isolate.ts";

/** As long as admission itself waits for a bucket: a turn must not hang on a look before it. */
const lookMs = 1_000;

/**
 * The model costs money, and is asked for nobody whose limits are used up. One look into both buckets sets nothing aside: what this
 * isolate gave back would still be missing when a durable turn, which asks by itself, is admitted. Only where something is used up, or
 * nobody answers in time, admission is asked what to say.
 *
 * @returns why not; `null`: it may
 */
export async function refusedBeforeGuard(
  isolate: Isolate,
  { principal, tenant, place }: JudgedCaller,
  admission: () => Promise<Admission | null>,
): Promise<AdmissionFailure | null> {
  const roomOf = async (scope: "user" | "org"): Promise<boolean> => {
    const owner = { scope, id: principal[scope] };
    const looking = inspectBucket(isolate, tenant, owner, limitsOf(tenant, scope, principal));
    const looked = await within(looking, lookMs);
    return looked !== timedOut && looked.limits.every(({ remaining }) => remaining >= 1);
  };
  const looked = await Promise.allSettled([roomOf("user"), roomOf("org")]);
  if (looked.every((look) => look.status === "fulfilled" && look.value)) return null;
  const chargeId = `guard-${randomHex(16)}` as ChargeId;
  const desk = await admission();
  if (desk === null) return null;
  const admitted = await admitRequest(desk, { principal, tenant, chargeId, place });
  if (!admitted.ok) return admitted.error;
  admitted.value.settle(unused);
  return null;
}
