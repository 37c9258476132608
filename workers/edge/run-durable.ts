/** A durable chat turn as an HTTP answer: started, and told as a stream or whole. */
import type { EndStatus, Follow, TurnPolicy } from "../../src/shared/contracts/generation.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { withObjectField, type ObjectField, type Refusal } from "../../src/shared/contracts/refusal.ts";
import type { Result } from "../../src/shared/contracts/result.ts";
import { revokedCredential } from "../../src/shared/limits/revocation.ts";
import type { OfferedTools } from "../../src/shared/tools/offered-tools.ts";
import type { TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";
import { turnPolicy } from "../../src/shared/turn/durable/turn-request.ts";
import type { ChatRequest } from "../../src/shared/wire/chat-request.ts";
import { lateErrorEvent } from "../../src/shared/wire/wire-error.ts";
import { attachTurn, followTurn, mayBeThere } from "./attach-turn.ts";
import { heardWithinMs, type TenantCall } from "./handle.ts";
import { judgedCall } from "./judged-request.ts";
import { orLate } from "./late-start.ts";
import { placeOf } from "./place.ts";
import { wantedOfTurn } from "./read-position.ts";
import { answerHeaders, respondJson, respondRefusal, type HeaderRecord } from "./respond.ts";
import { startTurn, type TurnContext, type TurnStarted } from "./start-turn.ts";
import { turnCacheStatus } from "./turn-cache-status.ts";

export function ownerOf({ tenant, principal }: Pick<TenantCall, "tenant" | "principal">): Owner {
  return { tenant: tenant.id, user: principal.user };
}

/**
 * @param claim what other requests share this turn by; `null`: it belongs to this request alone
 * @param tools server tools that `chat` offers; `null`: none
 */
export function runDurable(
  call: TenantCall,
  chat: ChatRequest,
  claim: TurnClaim | null,
  tools: OfferedTools | null = null,
): Promise<Response> {
  return answer(call, chat, claim, (follow, onNamed) =>
    startTurn(turnContextOf(call), {
      kind: "chat",
      chat,
      tools,
      conversationId: chat.conversation_id,
      claim,
      onNamed,
      screened: call.scope.record.screened ?? null,
      policy: policyOf(call, chat, claim),
      follow,
    }),
  );
}

function answer(
  call: TenantCall,
  chat: ChatRequest,
  claim: TurnClaim | null,
  start: StartChat,
): Promise<Response> {
  if (chat.stream !== true) return respond(call, chat, claim, start);
  return streamOrLate(
    call,
    (onNamed) => respond(call, chat, claim, start, onNamed),
    (json) => lateErrorEvent(json, chat.stream_format === "text"),
  );
}

function policyOf(
  { tenant }: TenantCall,
  { conversation_id: conversationId, store }: ChatRequest,
  claim: TurnClaim | null,
): TurnPolicy {
  return turnPolicy(tenant, conversationId !== undefined || store === true, claim?.keptMs ?? null);
}

/**
 * What this chat was answered when it was asked before, with the same claim. `null`: it was not.
 *
 * @param bringsFiles which would have to be read first
 */
export async function answeredBefore(
  call: TenantCall,
  chat: ChatRequest,
  claim: TurnClaim | null,
  bringsFiles: boolean,
): Promise<Response | null> {
  if (!mayBeThere(claim, call.tenant, bringsFiles)) return null;
  const from = turnContextOf(call);
  const policy = policyOf(call, chat, claim);
  const find = { kind: "chat", claim, policy, follow: { kind: "claim" } } as const;
  const found = await attachTurn(from, find);
  if (!found.ok) return respondRefusal(call.scope, found.error);
  if (found.value === null) return null;
  return answer(call, chat, claim, (follow, onNamed) => followTurn(from, { ...find, follow, onNamed }));
}

type StartChat = (
  follow: Follow,
  onNamed?: (responseId: string) => void,
) => Promise<Result<TurnStarted, Refusal>>;

/** A durable turn's stream, which may take long to begin. The turn goes on without its client, even before it begins. */
export function streamOrLate(
  call: TenantCall,
  respondWith: (onNamed: (responseId: string) => void) => Promise<Response>,
  errorEvent: (json: string) => string,
): Promise<Response> {
  let named: string | null = null;
  const responding = respondWith((responseId) => {
    named = responseId;
  });
  return orLate(call, responding, { responseId: () => named, errorEvent, goesOn: true });
}

async function respond(
  call: TenantCall,
  chat: ChatRequest,
  claim: TurnClaim | null,
  start: StartChat,
  onNamed?: (responseId: string) => void,
): Promise<Response> {
  const { scope } = call;
  const read = wantedOfTurn(call, claim);
  if (!read.ok) return respondRefusal(scope, read.error);
  const field = conversationField(chat);
  const follow: Follow = chat.stream === true ? { kind: "stream", read: read.value } : { kind: "end" };
  const started = await start(follow, onNamed);
  scope.mark("object");
  if (!started.ok) return respondRefusal(scope, withObjectField(started.error, field));
  const revoked = await revokedReader(call, started.value.outcome);
  if (revoked !== null) return respondRefusal(scope, revoked);
  return send(call, started.value.outcome, started.value.responseId, claim, field);
}

/** The field of a chat that may name an object that does not exist. */
export function conversationField({ conversation_id: id }: ChatRequest): ObjectField | undefined {
  return id === undefined ? undefined : "conversation_id";
}

/** Attaching to an existing turn needs no admission by a bucket: a revoked credential is found out here. */
export async function revokedReader(
  { isolate, principal, tenant, scope }: TenantCall,
  outcome: TurnStarted["outcome"],
): Promise<Refusal | null> {
  if (!outcome.attached) return null;
  const { credentialStanding } = isolate;
  const standing = await credentialStanding({ principal, tenant }, heardWithinMs.usual, scope.background);
  if (standing !== "revoked") return null;
  if (outcome.result === "stream") await outcome.stream.cancel();
  return revokedCredential(principal);
}

/** What a turn takes from the request that asked for it. */
export function turnContextOf(call: TenantCall): TurnContext {
  const { c, scope, principal, tenant, isolate } = call;
  return {
    isolate,
    principal,
    tenant,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    place: placeOf(c.req.raw),
    startedMs: scope.startedMs,
    background: scope.background,
    judged: judgedCall(call),
  };
}

function send(
  { scope }: TenantCall,
  outcome: TurnStarted["outcome"],
  responseId: string,
  claim: TurnClaim | null,
  field: ObjectField | undefined,
): Response {
  const told = {
    "x-edgewise-response-id": responseId,
    "cache-status": turnCacheStatus(claim, outcome.attached),
  };
  switch (outcome.result) {
    case "stream":
      return streamFromObject({ scope }, outcome.stream, {
        ...outcome.headers,
        ...told,
      });
    case "ended": {
      const headers = { ...outcome.headers, ...told };
      if (outcome.response !== null) return respondJson(scope, outcome.response, headers);
      // The same claim leads to the same failed turn for as long as it holds: asking again is of no use.
      const again = claim === null ? headers : { ...headers, "x-should-retry": "false" };
      return respondRefusal(scope, endedWithout(outcome.status), again);
    }
    case "refused":
      return respondRefusal(scope, withObjectField(outcome.refusal, field), { ...outcome.headers });
    case "claimed":
      return respondRefusal(scope, { kind: "internal", detail: "a followed turn was only claimed" });
  }
}

/**
 * Why does an ended turn have no answer? No server is to blame if its user cancelled it, or deleted it or its conversation
 * while a client waited: official clients repeat a request after a 503, and would send it again into a conversation that is gone.
 */
export function endedWithout(status: EndStatus): Refusal {
  switch (status) {
    case "cancelled":
      // A cancelled turn keeps what it said: one that has nothing was deleted.
      return { kind: "conflict", message: "This answer was deleted while it was being written." };
    case "completed":
    case "incomplete":
      return { kind: "conflict", message: "This answer was deleted before it was given." };
    case "failed":
      return { kind: "origin-unavailable", retryAfterMs: 1000, detail: "the turn ended failed" };
  }
}

/** The object writes the stream, keep-alives included: no code of the edge runs for each token. */
export function streamFromObject(
  { scope }: Pick<TenantCall, "scope">,
  stream: ReadableStream<Uint8Array> | string,
  headers: HeaderRecord,
): Response {
  scope.record.status = 200;
  scope.finish();
  return new Response(stream, {
    headers: answerHeaders(scope, "text/event-stream; charset=utf-8", headers),
  });
}
