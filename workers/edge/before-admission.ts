/** May expensive work be done for this caller before its turn is admitted, such as asking a guard model or reading files? */
import type { Background } from "../../src/shared/contracts/background.ts";
import type { ChargeId } from "../../src/shared/contracts/ids.ts";
import type { AdmissionFailure } from "../../src/shared/limits/admission-failure.ts";
import { freeOfCharge } from "../../src/shared/limits/cost.ts";
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import { type Admission, unused } from "../../src/shared/limits/ports.ts";
import { limitsOf } from "../../src/shared/limits/principal-limits.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import type { JudgedCaller } from "./fleet-moderator.ts";
import { inspectBucket } from "./inspect-bucket.ts";
import type { Isolate } from "./isolate.ts";
import type { TurnContext } from "./start-turn.ts";

/** As long as admission itself waits for a bucket: this look must not delay a turn any longer. */
const lookMs = 1_000;

/** The least that the prompt will cost, if its turn begins. */
export interface LeastCost {
  readonly tokens: number;
  /** Whether some model that answers chats costs nothing. Asked only where something is used up. */
  readonly mayBeFree: () => Promise<boolean>;
}

/**
 * A guard model costs money and a reader of documents CPU, so neither is used for a caller whose limits are used up. Both buckets are read once and nothing is reserved: what this
 * isolate gave back would still be missing when a durable turn, which asks by itself, is admitted. Only if something is used up, or
 * no answer comes in time, admission is asked for the least that the turn will need: a caller without tokens or money is not
 * admitted by asking for none.
 *
 * @returns the refusal; `null`: the work may be done
 */
export async function refusedBeforeAdmission(
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
  const chargeId = `before-${randomHex(16)}` as ChargeId;
  const desk = await admission();
  if (desk === null) return null;
  // One microdollar in all.
  const price = (await mayBeFree()) ? freeOfCharge : { input: 1 / tokens, output: 0 };
  const asked = { promptTokens: tokens, answerTokens: 0, choices: 1, price };
  const admitted = await desk.admit({ principal, tenant, chargeId, ...asked, place });
  if (!admitted.ok) return admitted.error;
  admitted.value.settle(unused);
  return null;
}

/** Whether some model that answers chats costs nothing; also where that can't be known now. */
export async function mayChatForFree(isolate: Isolate, background: Background): Promise<boolean> {
  const fleet = await isolate.fleet.current(background);
  return !fleet.ok || chatsForFree(fleet.value);
}

function chatsForFree({ clusters }: FleetIndex): boolean {
  for (const { models } of clusters.values())
    for (const { capabilities, price } of models)
      if (capabilities.includes("chat") && price.input + price.output === 0) return true;
  return false;
}

export function backgroundOf({
  background,
  isolate,
}: Pick<TurnContext, "background" | "isolate">): Background {
  return (
    background ?? {
      run: (name, work) => void work.catch((error: unknown) => isolate.report(name, String(error))),
    }
  );
}

/** A desk of its own inside an object, which must not await promises of others. `null`: there is no fleet now. */
export async function admissionFor(from: TurnContext): Promise<Admission | null> {
  const { isolate, background } = from;
  if (background !== undefined) return isolate.admission(background);
  const own = backgroundOf(from);
  const fleet = await isolate.fleet.current(own);
  return fleet.ok ? isolate.durableTurnDeps(fleet.value, own).admission : null;
}
