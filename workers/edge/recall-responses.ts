/** The history of a response that continues earlier ones: the stored responses, read back from the latest. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { ok } from "../../src/shared/contracts/result.ts";
import type { Principal } from "../../src/shared/identity/principal.ts";
import type { Item } from "../../src/shared/responses/item.ts";
import { messagesOf } from "../../src/shared/responses/messages.ts";
import { rememberedLimits, sizeOf } from "../../src/shared/responses/remembered.ts";
import { type ResponseTurn, storedItems } from "../../src/shared/responses/stored-response.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Recalled } from "../../src/shared/turn/ports.ts";
import { verifyId } from "../../src/shared/turn/response-id.ts";
import type { Isolate } from "./isolate.ts";

/** Asked at once: each is an object of its own, and a Worker opens six connections. */
const atOnce = 6;

/**
 * The latest must be there. Where one before it is not any more (its time is over, or its owner deleted it), the history
 * begins behind it. Where there is more than is remembered it begins there too, if it may be cut; else nothing is answered.
 */
export async function recallResponses(
  { env, hash }: Isolate,
  request: {
    readonly principal: Pick<Principal, "tenant" | "user">;
    readonly tenant: Pick<TenantConfig, "jurisdiction">;
  },
  { ancestors, before = [], truncates }: Pick<ResponseTurn, "ancestors" | "before" | "truncates">,
): Promise<Recalled> {
  const owner = { tenant: request.principal.tenant, user: request.principal.user };
  const newestFirst = ancestors.toReversed();
  const turns: (readonly Item[])[] = [];
  let read = 0;
  let held = 0;
  const remember = (items: readonly Item[]): void => {
    const size = sizeOf(items);
    read += size.read;
    held += size.held;
    turns.push(items);
  };
  const mostUnits = truncates ? rememberedLimits.cutUnits : rememberedLimits.wholeUnits;
  const isFull = (): boolean =>
    read >= mostUnits || held >= rememberedLimits.heldUnits || turns.length >= rememberedLimits.responses;
  const load = async (id: string) => {
    const verified = await verifyId(hash, id, owner);
    if (verified === null) return ok(null);
    const called = await callObject(
      async () =>
        inJurisdiction(env.GENERATION, request.tenant.jurisdiction, env.ENVIRONMENT)
          .getByName(verified.objectName)
          .retrieve({ v: generationVersion, owner }),
      calledObject("generation", verified.objectName),
    );
    if (!called.ok) return called;
    return ok(called.value.result === "ended" ? called.value.response : null);
  };
  if (before.length > 0) remember(before);
  // Only the latest first: it is usually the only one.
  for (let at = 0; at < newestFirst.length;) {
    if (truncates && isFull()) break;
    const batch = newestFirst.slice(at, at + (at === 0 ? 1 : atOnce));
    const loaded = await Promise.all(batch.map(load));
    for (const one of loaded) {
      if (!one.ok)
        return {
          ok: false,
          error: {
            kind: "dependency-unavailable",
            component: "generation",
            retryAfterMs: one.error.retryAfterMs,
            detail: one.error.detail,
          },
        };
      if (one.value === null) {
        if (turns.length === 0) return { ok: false, error: { kind: "object-unknown" } };
        return recalled(turns);
      }
      if (isFull()) return truncates ? recalled(turns) : { ok: false, error: tooMuch };
      remember(storedItems(one.value));
    }
    at += batch.length;
  }
  return recalled(turns);
}

const tooMuch: Refusal = {
  kind: "value-invalid",
  param: "previous_response_id",
  message:
    "'previous_response_id' goes on from more than is remembered. Send the latest items as 'input' without it, or allow the " +
    "oldest to be left out by 'truncation': 'auto'.",
};

function recalled(newestFirst: readonly (readonly Item[])[]): Recalled {
  return { ok: true, value: messagesOf(newestFirst.toReversed().flat()) };
}
