/** `POST /v1/responses`: read ▸ validate ▸ a durable turn in a Generation object, told as a stream, whole, or not waited for. */
import { wantsOnlyStored } from "../../../src/shared/cache/cache-policy.ts";
import type { Follow, ReadPosition } from "../../../src/shared/contracts/generation.ts";
import { openResponse } from "../../../src/shared/turn/durable/response-form.ts";
import { askedResponseRefusal } from "../../../src/shared/responses/response-refusal.ts";
import { storedResponse } from "../../../src/shared/responses/stored-response.ts";
import { type TurnClaim, turnClaim } from "../../../src/shared/turn/durable/turn-claim.ts";
import {
  conversationOf,
  parseResponseRequest,
  type SentResponseRequest,
} from "../../../src/shared/wire/responses-request.ts";
import { lateResponseErrorEvent } from "../../../src/shared/wire/wire-error.ts";
import { createResponse } from "../create-response.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { wantedOfTurn } from "../read-position.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import {
  endedWithout,
  turnContextOf,
  revokedReader,
  streamFromObject,
  streamOrLate,
} from "../run-durable.ts";
import type { TurnStarted } from "../start-turn.ts";
import { retrieveTurn } from "../stored-turn.ts";
import { turnCacheStatus } from "../turn-cache-status.ts";

export const createResponseOverHttp: TenantHandler = async (call) => {
  const { c, scope, tenant, isolate } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return respondRefusal(scope, text.error);
  const request = parseResponseRequest(text.value);
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  // None of them is answered from the cache.
  if (wantsOnlyStored(c.req.raw.headers.get("cache-control")))
    return respondRefusal(scope, { kind: "not-stored" });
  const key = c.req.raw.headers.get("idempotency-key");
  const claiming = turnClaim(isolate.hash, tenant, key, text.value, conversationOf(request.value));
  const claim = claiming instanceof Promise ? await claiming : claiming;
  if (!claim.ok) return respondRefusal(scope, claim.error);
  return request.value.stream === true
    ? streamOrLate(
        call,
        (onNamed) => respond(call, request.value, claim.value, onNamed),
        lateResponseErrorEvent,
      )
    : respond(call, request.value, claim.value);
};

async function respond(
  call: TenantCall,
  asked: SentResponseRequest,
  claim: TurnClaim | null,
  onNamed?: (responseId: string) => void,
): Promise<Response> {
  const { scope } = call;
  const read = wantedOfTurn(call, claim);
  if (!read.ok) return respondRefusal(scope, read.error);
  const follow = followOf(asked, read.value);
  const created = await createResponse(turnContextOf(call), asked, claim, follow, onNamed);
  scope.mark("object");
  if (!created.ok) return respondRefusal(scope, askedResponseRefusal(created.error, asked));
  const { started, findings } = created.value;
  const revoked = await revokedReader(call, started.outcome);
  if (revoked !== null) return respondRefusal(scope, revoked);
  if (findings !== null) scope.record.screened = findings;
  return send(call, started, claim, asked);
}

function followOf({ stream, background }: SentResponseRequest, read: ReadPosition): Follow {
  if (stream === true) return { kind: "stream", read };
  return background === true ? { kind: "claim" } : { kind: "end" };
}

async function send(
  call: TenantCall,
  { outcome, responseId, request }: TurnStarted,
  claim: TurnClaim | null,
  asked: SentResponseRequest,
): Promise<Response> {
  const { scope } = call;
  const headers = {
    "x-edgewise-response-id": responseId,
    "cache-status": turnCacheStatus(claim, outcome.attached),
  };
  switch (outcome.result) {
    case "stream":
      return streamFromObject(call, outcome.stream, { ...outcome.headers, ...headers });
    case "refused":
      return respondRefusal(scope, askedResponseRefusal(outcome.refusal, asked), { ...outcome.headers });
    case "claimed": {
      if (!outcome.attached) {
        if (request?.response === undefined) throw new Error("a response's turn has no response");
        const { response } = request;
        return respondJson(scope, storedResponse(openResponse({ ...request, response }, "queued")), headers);
      }
      const retrieved = await retrieveTurn(call, "response", responseId);
      if (!retrieved.ok) return respondRefusal(scope, retrieved.error, headers);
      const known = retrieved.value.response ?? null;
      if (known === null) return respondRefusal(scope, { kind: "object-unknown" }, headers);
      return respondJson(scope, storedResponse(known), headers);
    }
    case "ended": {
      const all = { ...outcome.headers, ...headers };
      if (outcome.response !== null && outcome.status !== "failed")
        return respondJson(scope, storedResponse(outcome.response), all);
      // The same claim leads to the same failed response for as long as it holds: asking again is of no use.
      const again = claim === null ? all : { ...all, "x-should-retry": "false" };
      return respondRefusal(scope, endedWithout(outcome.status), again);
    }
  }
}
