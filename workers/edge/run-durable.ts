/** A durable turn seen from the edge: name it, hand it to its Generation object, and read what that tells. */
import { callObject } from "../../durable-objects/storage/call-object.ts";
import { inJurisdiction } from "../../durable-objects/storage/jurisdiction.ts";
import {
  generationVersion,
  type Follow,
  type GenerationFailure,
  type StartOutcome,
} from "../../src/shared/contracts/generation.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { resolveConversation } from "../../src/shared/turn/conversation-name.ts";
import type { ChatTurnRequest } from "../../src/shared/turn/durable/chat-turn-end.ts";
import { serialPrincipal, turnPolicy } from "../../src/shared/turn/durable/turn-request.ts";
import { claimedId, type TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { mintId } from "../../src/shared/turn/response-id.ts";
import type { ChatRequest } from "../../src/shared/wire/chat-request.ts";
import type { TenantCall } from "./handle.ts";
import { placeOf } from "./place.ts";
import { baseHeaders, respondJson, respondRefusal, type HeaderRecord } from "./respond.ts";

export function ownerOf({ tenant, principal }: TenantCall): Owner {
  return { tenant: tenant.id, user: principal.user };
}

/** The object that holds a turn. */
export function generationStub({ isolate, tenant }: TenantCall, objectName: string) {
  const { env } = isolate;
  return inJurisdiction(env.GENERATION, tenant.jurisdiction, env.ENVIRONMENT).getByName(objectName);
}

/**
 * @param claim what other requests may share this turn by; `null`: it is this request's own
 */
export async function runDurable(
  call: TenantCall,
  chat: ChatRequest,
  claim: TurnClaim | null,
): Promise<Response> {
  const { c, scope, principal, tenant, isolate } = call;
  const owner = ownerOf(call);
  const { conversation_id: conversationId } = chat;
  const conversation =
    conversationId === undefined ? null : await resolveConversation(isolate.hash, conversationId, owner);
  if (conversation === null && conversationId !== undefined)
    return respondRefusal(scope, { kind: "object-unknown" });
  const own = await mintId(isolate.hash, {
    kind: "chat",
    owner,
    jurisdiction: tenant.jurisdiction,
    nowMs: scope.startedMs,
    entropy: crypto.getRandomValues(new Uint8Array(16)),
  });
  const turnId = own.objectName;
  const template: Omit<ChatTurnRequest, "responseId"> = {
    v: 1,
    turnId,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    principal: serialPrincipal(principal),
    tenant,
    chat,
    conversation,
    place: placeOf(c.req.raw),
    createdMs: scope.startedMs,
  };
  const follow: Follow =
    chat.stream === true ? { kind: "stream", read: { from: 0, ids: true } } : { kind: "end" };
  const policy = turnPolicy(tenant, isKept(chat), claim?.keptMs ?? null);
  const fingerprint = claim?.fingerprint ?? null;
  for (let use = 0; use < mostUses; use += 1) {
    const { id: responseId, objectName } =
      claim === null
        ? own
        : await claimedId(isolate.hash, "chat", claim, use, principal, tenant.jurisdiction);
    const request = JSON.stringify({ ...template, responseId } satisfies ChatTurnRequest);
    const called = await callObject(async () =>
      generationStub(call, objectName).start({
        v: generationVersion,
        owner,
        turnId,
        fingerprint,
        policy,
        request,
        follow,
      }),
    );
    if (!called.ok) {
      scope.mark("dispatch");
      return respondRefusal(scope, objectUnavailable(called.error.retryAfterMs, called.error.detail));
    }
    if (called.value.result === "expired") continue;
    scope.mark("dispatch");
    return send(call, called.value, responseId);
  }
  return respondRefusal(scope, {
    kind: "conflict",
    message: "This Idempotency-Key was used too often. Use a new key for a new request.",
  });
}

/** Each use of a claim beyond its time asks one object more, while the answers of the uses before are kept. */
const mostUses = 16;

/** Whether the answer can be had by its id when its journal is gone. */
function isKept({ conversation_id: conversationId, store }: ChatRequest): boolean {
  return conversationId !== undefined || store === true;
}

function send(
  { scope }: TenantCall,
  outcome: Exclude<StartOutcome, { result: "expired" }>,
  responseId: string,
): Response {
  switch (outcome.result) {
    case "stream":
      return streamFromObject({ scope }, outcome.stream, {
        ...outcome.headers,
        "x-edgewise-response-id": responseId,
      });
    case "ended": {
      const headers = { ...outcome.headers, "x-edgewise-response-id": responseId };
      if (outcome.response !== null) return respondJson(scope, outcome.response, headers);
      const detail = `the turn ended ${outcome.status}`;
      return respondRefusal(scope, { kind: "origin-unavailable", retryAfterMs: 1000, detail }, headers);
    }
    case "refused":
      return respondRefusal(scope, outcome.refusal, { ...outcome.headers });
    case "mismatch":
      return respondRefusal(scope, { kind: "idempotency-reused" });
    case "too-large":
      return respondRefusal(scope, { kind: "body-too-large", maxBytes: outcome.maxBytes });
    case "claimed":
      return respondRefusal(scope, { kind: "internal", detail: "a followed turn was only claimed" });
    case "unknown":
    case "version-unsupported":
      return respondRefusal(scope, generationRefusal(outcome));
  }
}

/** The object writes the stream, keep-alives included: nothing of the edge's runs a token. */
export function streamFromObject(
  { scope }: Pick<TenantCall, "scope">,
  stream: ReadableStream<Uint8Array>,
  headers: HeaderRecord,
): Response {
  scope.record.status = 200;
  scope.finish();
  return new Response(stream, {
    headers: { ...baseHeaders(scope), "content-type": "text/event-stream; charset=utf-8", ...headers },
  });
}

export function generationRefusal(failure: GenerationFailure): Refusal {
  return failure.result === "unknown"
    ? { kind: "object-unknown" }
    : objectUnavailable(1000, `speaks version ${failure.supported}`);
}

export function objectUnavailable(retryAfterMs: number, detail: string): Refusal {
  return { kind: "dependency-unavailable", component: "generation", retryAfterMs, detail };
}
