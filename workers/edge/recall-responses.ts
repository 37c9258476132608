/** What was said before a response that goes on from others: the stored ones, read back from the latest. */
import { callObject, calledObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import { generationVersion } from "../../src/shared/contracts/generation.ts";
import { ok } from "../../src/shared/contracts/result.ts";
import type { Item } from "../../src/shared/responses/item.ts";
import { messagesOf } from "../../src/shared/responses/messages.ts";
import { storedItems } from "../../src/shared/responses/stored-response.ts";
import { takeableHistory } from "../../src/shared/turn/durable/answered-calls.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import type { Recalled } from "../../src/shared/turn/ports.ts";
import { verifyId } from "../../src/shared/turn/response-id.ts";
import type { Isolate } from "./isolate.ts";

/** Asked at once: each is an object of its own, and a Worker opens six connections. */
const atOnce = 6;

/**
 * The latest must be there. Where one before it is not any more (its time is over, or its owner deleted it), the history
 * begins behind it, as it does where `limitUnits` of text are reached.
 */
export async function recallResponses(
  { env, hash }: Isolate,
  request: ChatTurnRequest,
  ancestors: readonly string[],
  limitUnits: number,
): Promise<Recalled> {
  if (ancestors.length === 0) return { ok: true, value: [] };
  const owner = { tenant: request.principal.tenant, user: request.principal.user };
  const newestFirst = ancestors.toReversed();
  const turns: (readonly Item[])[] = [];
  let units = 0;
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
  // The latest alone first: most often it is all there is.
  for (let at = 0; at < newestFirst.length && units < limitUnits;) {
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
        return recalled(turns, request);
      }
      turns.push(storedItems(one.value));
      units += one.value.length;
      if (units >= limitUnits) break;
    }
    at += batch.length;
  }
  return recalled(turns, request);
}

function recalled(newestFirst: readonly (readonly Item[])[], { chat }: ChatTurnRequest): Recalled {
  const history = messagesOf(newestFirst.toReversed().flat());
  const { messages, unasked } = takeableHistory(history, chat.messages);
  if (unasked === null) return { ok: true, value: messages };
  const message = "answers no open call of the responses before";
  return { ok: false, error: { kind: "value-invalid", param: "input", message } };
}
