/** A direct turn from a validated request to its response: the stages, the headers, the record's end. */
import { withPromptField, type Refusal } from "../../src/shared/contracts/refusal.ts";
import { ok, type Result } from "../../src/shared/contracts/result.ts";
import { groundingTold, type Ground } from "../../src/shared/grounding/ground.ts";
import { rateLimitHeaders } from "../../src/shared/limits/limit-headers.ts";
import { randomHex } from "../../src/shared/telemetry/correlation.ts";
import { serverTiming } from "../../src/shared/telemetry/request-record.ts";
import type { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import {
  answerDirect,
  answerFromCache,
  type DirectBody,
  type TurnEnding,
} from "../../src/shared/turn/answer-direct.ts";
import { engineFields } from "../../src/shared/turn/answering-engine.ts";
import type { Asked } from "../../src/shared/turn/asked.ts";
import { chargedUsage } from "../../src/shared/turn/ending.ts";
import { openTurn, type LiveTurn, type OpenedTurn } from "../../src/shared/turn/open-turn.ts";
import type { TurnDeps, ValidatedTurn } from "../../src/shared/turn/ports.ts";
import {
  mayReadRoute,
  routeFields,
  routeHeader,
  routeHeaderValue,
} from "../../src/shared/turn/route-told.ts";
import { lateErrorEvent } from "../../src/shared/wire/wire-error.ts";
import { directNotes, type KeepRow } from "./direct-notes.ts";
import { judgeAnswer } from "./fleet-moderator.ts";
import type { TenantCall } from "./handle.ts";
import type { Isolate } from "./isolate.ts";
import { orLate } from "./late-start.ts";
import { answerHeaders, respondJson, respondRefusal, type HeaderRecord } from "./respond.ts";
import { turnOf } from "./turn-of.ts";
import { WholeNotes } from "./whole-notes.ts";

export async function runDirect(
  call: TenantCall,
  asked: Asked,
  idPrefix: "chatcmpl-" | "cmpl-",
  ground: Ground | null = null,
): Promise<Response> {
  const { scope, isolate } = call;
  const reading = isolate.fleet.current(scope.background);
  const fleet = reading instanceof Promise ? await reading : reading;
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const responseId = idPrefix + randomHex(16);
  const responding = respond(
    call,
    { ...turnOf(call, responseId), asked, ground },
    isolate.turnDeps(fleet.value, scope.background),
  );
  if (!asked.stream) return responding;
  return orLate(call, responding, {
    responseId: () => responseId,
    errorEvent: (json) => lateErrorEvent(json, asked.format === "text"),
    goesOn: false,
  });
}

async function respond(call: TenantCall, turn: ValidatedTurn, deps: TurnDeps): Promise<Response> {
  const { client, scope, isolate } = call;
  const { asked } = turn;
  const keepRow: KeepRow = (row) => isolate.directRows.add(row, scope.background);
  const ledgered = isolate.archive.isOn
    ? { ...deps, ledger: new WholeNotes(isolate, scope, keepRow).note }
    : deps;
  const opened = await openTurn(turn, ledgered, client);
  if (!opened.ok) return respondRefusal(scope, withClientsField(opened.error, asked));
  const answered = await answerOpened(opened.value, deps, call, keepRow);
  const headers = turnHeaders(opened.value, scope);
  if (!answered.ok) return respondRefusal(scope, withClientsField(answered.error, asked), headers);
  return send(answered.value, headers, scope);
}

/** A plain completion calls its prompt so; the stages speak of messages. */
export function withClientsField(refusal: Refusal, { shape }: Asked): Refusal {
  return shape === "completion" ? withPromptField(refusal, "prompt") : refusal;
}

/** From the engine's first byte on. The record says who answered, and what came of it. */
export async function answerOpened(
  opened: OpenedTurn,
  deps: TurnDeps,
  { client, scope, isolate }: Pick<TenantCall, "client" | "scope" | "isolate">,
  keepRow: KeepRow,
): Promise<Result<DirectBody, Refusal>> {
  const { record } = scope;
  record.cache = opened.cache.semantic?.result ?? opened.cache.lookup?.result ?? "bypass";
  const model = opened.kind === "cached" ? opened.cached.model : opened.candidate.model;
  record.model = model;
  Object.assign(record, routeFields(opened, model));
  if (opened.kind === "cached") return ok(answerFromCache(opened));
  if (opened.grounding !== null) record.grounded = groundingTold(opened.grounding);
  record.cluster = opened.answer.cluster;
  record.replica = opened.answer.replica;
  record.attempts = opened.answer.attempts;
  if (opened.answer.tried !== undefined) record.tried = opened.answer.tried;
  record.status = 200;
  const isStream = opened.asked.stream;
  const notes = directNotes(isolate, scope, opened, deps.fleet, keepRow);
  const answered = await answerDirect(
    opened,
    deps,
    {
      background: scope.background,
      onEnd: (ending) => {
        recordEnding(scope, ending);
        notes?.ended(ending);
        if (ending.said !== null) judgeDirect(isolate, scope, opened, ending.said);
        // A whole answer ends its record when it is sent; a stream's headers left long ago.
        if (isStream) scope.finish();
      },
    },
    client,
  );
  return notes === null || !answered.ok ? answered : ok(await notes.seal(answered.value));
}

function judgeDirect(isolate: Isolate, { background }: RequestScope, turn: LiveTurn, said: string): void {
  const judging = judgeAnswer(isolate, turn, turn.asked.question().text, said, background);
  background.run("moderation", judging);
}

function recordEnding(scope: RequestScope, { end, totals, guarded, engine }: TurnEnding): void {
  const { record } = scope;
  if (engine.left.length > 0) Object.assign(record, engineFields(engine));
  const usage = chargedUsage(totals);
  record.promptTokens = usage.promptTokens;
  record.completionTokens = usage.completionTokens;
  record.cachedTokens = usage.cachedTokens;
  record.reasoningTokens = usage.reasoningTokens;
  record.usageBasis = totals.basis;
  if (totals.firstTokenAtMs !== undefined) record.firstTokenMs = totals.firstTokenAtMs - scope.startedMs;
  record.ending = end === "done" ? "answered" : end === "budget-spent" || end === "blocked" ? "stopped" : end;
  if (guarded !== null) record.guarded = guarded;
  if (totals.failureDetail !== undefined) record.errorDetail = totals.failureDetail;
  scope.mark("stream");
}

function turnHeaders(opened: OpenedTurn, scope: RequestScope): HeaderRecord {
  const headers: HeaderRecord = rateLimitHeaders(opened.reservation.standing);
  headers["x-edgewise-response-id"] = opened.responseId;
  headers["cache-status"] = opened.cache.status;
  headers["server-timing"] = serverTiming(scope.record.stages, scope.record.grounded);
  if (mayReadRoute(opened.principal)) headers[routeHeader] = routeHeaderValue(opened);
  return headers;
}

function send({ kind, body }: DirectBody, headers: HeaderRecord, scope: RequestScope): Response {
  if (kind === "json") return respondJson(scope, body, headers);
  if (typeof body === "string") {
    scope.record.status = 200;
    scope.finish();
  }
  return new Response(body, {
    headers: answerHeaders(scope, "text/event-stream; charset=utf-8", headers),
  });
}
