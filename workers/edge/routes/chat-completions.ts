/** `POST /v1/chat/completions`: read ▸ validate ▸ direct turn here, or durable turn in a Generation object. */
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import type { ChargeId } from "../../../src/shared/contracts/ids.ts";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import { rateLimitHeaders } from "../../../src/shared/limits/limit-headers.ts";
import { randomHex } from "../../../src/shared/telemetry/correlation.ts";
import { serverTiming } from "../../../src/shared/telemetry/request-record.ts";
import type { RequestScope } from "../../../src/shared/telemetry/request-scope.ts";
import {
  answerDirect,
  answerFromCache,
  type DirectBody,
  type TurnEnding,
} from "../../../src/shared/turn/answer-direct.ts";
import { openTurn, type OpenedTurn } from "../../../src/shared/turn/open-turn.ts";
import type { TurnDeps, ValidatedTurn } from "../../../src/shared/turn/ports.ts";
import { parseChatRequest, type ChatRequest } from "../../../src/shared/wire/chat-request.ts";
import { checkMedia } from "../../../src/shared/wire/media.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { placeOf } from "../place.ts";
import { readJsonText } from "../read-body.ts";
import { baseHeaders, respondJson, respondRefusal, type HeaderRecord } from "../respond.ts";

export const createChatCompletion: TenantHandler = async (call) => {
  const { scope, isolate } = call;
  const request = await readChat(call);
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  const reading = isolate.fleet.current(scope.background);
  const fleet = reading instanceof Promise ? await reading : reading;
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  return runDirect(call, request.value, isolate.turnDeps(fleet.value, scope.background));
};

async function readChat({ c, tenant }: TenantCall): Promise<Result<ChatRequest, Refusal>> {
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  if (!text.ok) return text;
  const request = parseChatRequest(text.value);
  if (!request.ok) return request;
  const media = checkMedia(request.value, tenant.media);
  return media.ok ? request : media;
}

async function runDirect(call: TenantCall, request: ChatRequest, deps: TurnDeps): Promise<Response> {
  const { c, scope, principal, tenant } = call;
  const { signal } = c.req.raw;
  const responseId = `chatcmpl-${randomHex(16)}`;
  const turn: ValidatedTurn = {
    principal,
    tenant,
    request,
    recall: null,
    responseId,
    chargeId: responseId as ChargeId,
    requestId: scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    place: placeOf(c.req.raw),
    cacheControl: c.req.header("cache-control") ?? null,
    createdMs: scope.startedMs,
    mark: (stage) => scope.mark(stage),
  };
  const opened = await openTurn(turn, deps, signal);
  if (!opened.ok) return respondRefusal(scope, opened.error);
  const answered = await answer(opened.value, deps, scope, signal);
  const headers = turnHeaders(opened.value, scope);
  if (!answered.ok) return respondRefusal(scope, answered.error, headers);
  return send(answered.value, headers, scope);
}

async function answer(
  opened: OpenedTurn,
  deps: TurnDeps,
  scope: RequestScope,
  signal: AbortSignal,
): Promise<Result<DirectBody, Refusal>> {
  const { record } = scope;
  record.cache = opened.cache.lookup?.result ?? "bypass";
  if (opened.kind === "cached") {
    record.model = opened.cached.model;
    return ok(answerFromCache(opened));
  }
  record.model = opened.candidate.model;
  record.cluster = opened.answer.cluster;
  record.replica = opened.answer.replica;
  record.attempts = opened.answer.attempts;
  record.status = 200;
  const isStream = opened.request.stream === true;
  return answerDirect(
    opened,
    deps,
    {
      background: scope.background,
      onEnd: (ending) => {
        recordEnding(scope, ending);
        // A whole answer ends its record when it is sent; a stream's headers left long ago.
        if (isStream) scope.finish();
      },
    },
    signal,
  );
}

function recordEnding(scope: RequestScope, { end, totals }: TurnEnding): void {
  const { record } = scope;
  const { usage } = totals;
  record.promptTokens = usage.promptTokens;
  record.completionTokens = usage.completionTokens;
  record.cachedTokens = usage.cachedTokens;
  record.reasoningTokens = usage.reasoningTokens;
  record.usageBasis = totals.basis;
  if (totals.firstTokenAtMs !== undefined) record.firstTokenMs = totals.firstTokenAtMs - scope.startedMs;
  record.ending = end === "done" ? "answered" : end === "budget-spent" || end === "blocked" ? "stopped" : end;
  if (totals.failureDetail !== undefined) record.errorDetail = totals.failureDetail;
  scope.mark("stream");
}

function turnHeaders(opened: OpenedTurn, scope: RequestScope): HeaderRecord {
  const headers: HeaderRecord = {
    "x-edgewise-response-id": opened.responseId,
    "cache-status": opened.cache.status,
    "server-timing": serverTiming(scope.record.stages),
  };
  for (const [name, value] of rateLimitHeaders(opened.reservation.standing)) headers[name] = value;
  return headers;
}

function send({ kind, body }: DirectBody, headers: HeaderRecord, scope: RequestScope): Response {
  if (kind === "json") return respondJson(scope, body, headers);
  if (typeof body === "string") {
    scope.record.status = 200;
    scope.finish();
  }
  return new Response(body, {
    headers: { ...baseHeaders(scope), "content-type": "text/event-stream; charset=utf-8", ...headers },
  });
}
