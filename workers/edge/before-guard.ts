/** May a guard model be asked on this caller's behalf, before its turn is admitted? */
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { AdmissionFailure } from "../../src/shared/limits/admission-failure.ts";
import { freeOfCharge } from "../../src/shared/limits/cost.ts";
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import { type Admission, unused } from "../../src/shared/limits/ports.ts";
import { limitsOf } from "../../src/shared/limits/principal-limits.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { JudgedCaller } from "./fleet-moderator.ts";
import { inspectBucket } from "./inspect-bucket.ts";
import type { Isolate } from "./isolate.ts";

/** As long as admission itself waits for a bucket: a turn must not hang on a look before it. */
const lookMs = 1_000;

/** The least that the prompt to be judged will cost, if it goes on. */
export interface LeastCost {
  readonly tokens: number;
  /** Whether some model that answers chats costs nothing. Asked only where something is used up. */
  readonly mayBeFree: () => Promise<boolean>;
}

/**
 * The model costs money, and is asked for nobody whose limits are used up. One look into both buckets sets nothing aside: what this
 * isolate gave back would still be missing when a durable turn, which asks by itself, is admitted. Only where something is used up, or
 * nobody answers in time, admission is asked what to say, for the least that the turn will ask for: who has no token or no money left is not
 * let in by asking for none.
 *
 * @returns why not; `null`: it may
 */
export async function refusedBeforeGuard(
  isolate: Isolate,
  { principal, tenant, place }: JudgedCaller,
  { tokens, mayBeFree }: LeastCost,
  admission: () => Promise<Admission | null>,
): Promise<AdmissionFailure | null> {
  const roomOf = async (scope: "user" | "org"): Promise<boolean> => {
    const owner = { scope, id: principal[scope] };
    const looking = inspectBucket(isolate, tenant, owner, limitsOf(tenant, scope, principal));
    const looked = await within(looking, lookMs);
    if (looked === timedOut) return false;
    return looked.limits.every(({ unit, remaining }) => remaining >= (unit === "tokens" ? tokens : 1));
  };
  const looked = await Promise.allSettled([roomOf("user"), roomOf("org")]);
  if (looked.every((look) => look.status === "fulfilled" && look.value)) return null;
  const chargeId = `guard-${randomHex(16)}` as ChargeId;
  const desk = await admission();
  if (desk === null) return null;
  // All of it together a microdollar.
  const price = (await mayBeFree()) ? freeOfCharge : { input: 1 / tokens, output: 0 };
  const asked = { promptTokens: tokens, answerTokens: 0, choices: 1, price };
  const admitted = await desk.admit({ principal, tenant, chargeId, ...asked, place });
  if (!admitted.ok) return admitted.error;
  admitted.value.settle(unused);
  return null;
}
