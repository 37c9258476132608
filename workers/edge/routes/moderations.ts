/** `POST /v1/moderations`: admitted and settled like a turn, answered whole. */
import { withPromptField } from "../../../src/shared/contracts/refusal.ts";
import { rateLimitHeaders } from "../../../src/shared/limits/limit-headers.ts";
import { randomHex } from "../../../src/shared/telemetry/correlation.ts";
import { serverTiming } from "../../../src/shared/telemetry/request-record.ts";
import { moderate } from "../../../src/shared/turn/moderate.ts";
import { moderationObject } from "../../../src/shared/wire/moderation-object.ts";
import { screenModeration } from "../../../src/shared/turn/screen-request.ts";
import { parseModerationRequest } from "../../../src/shared/wire/moderations-request.ts";
import type { TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { turnOf } from "../turn-of.ts";

export const createModeration: TenantHandler = async (call) => {
  const { c, scope, tenant, isolate } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const request = text.ok ? parseModerationRequest(text.value) : text;
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  const screened = await screenModeration(request.value, tenant, isolate.screen);
  scope.mark("screen");
  if (!screened.ok) return respondRefusal(scope, screened.error);
  if (screened.value.findings !== null) scope.record.screened = screened.value.findings;
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const id = `modr-${randomHex(16)}`;
  const turn = turnOf(call, id);
  const deps = isolate.turnDeps(fleet.value, scope.background);
  const moderated = await moderate(turn, screened.value.request, deps, call.client);
  if (!moderated.ok) return respondRefusal(scope, withPromptField(moderated.error, "input"));
  const { results, model, usage, answer, reservation } = moderated.value;
  const { record } = scope;
  if (usage !== null) {
    record.model = model;
    record.promptTokens = usage.promptTokens;
    record.completionTokens = usage.completionTokens;
    record.cachedTokens = usage.cachedTokens;
  }
  if (answer !== null) {
    record.cluster = answer.cluster;
    record.replica = answer.replica;
    record.attempts = answer.attempts;
    if (answer.tried !== undefined) record.tried = answer.tried;
  }
  return respondJson(scope, moderationObject(id, model, results), {
    "server-timing": serverTiming(record.stages),
    ...rateLimitHeaders(reservation.standing),
  });
};
