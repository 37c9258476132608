/** `POST /v1/embeddings`: admitted and settled like a turn, answered whole. */
import { withPromptField } from "../../../src/shared/contracts/refusal.ts";
import { rateLimitHeaders } from "../../../src/shared/limits/limit-headers.ts";
import { randomHex } from "../../../src/shared/telemetry/correlation.ts";
import { serverTiming } from "../../../src/shared/telemetry/request-record.ts";
import { embed } from "../../../src/shared/turn/embed.ts";
import { screenEmbedding } from "../../../src/shared/turn/screen-request.ts";
import { parseEmbeddingRequest } from "../../../src/shared/wire/embeddings-request.ts";
import type { TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { turnOf } from "../turn-of.ts";

export const createEmbeddings: TenantHandler = async (call) => {
  const { c, scope, tenant, isolate } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const request = text.ok ? parseEmbeddingRequest(text.value) : text;
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  const screened = await screenEmbedding(request.value, tenant, isolate.screen);
  scope.mark("screen");
  if (!screened.ok) return respondRefusal(scope, screened.error);
  if (screened.value.findings !== null) scope.record.screened = screened.value.findings;
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const chargeId = `emb-${randomHex(16)}`;
  const turn = turnOf(call, chargeId);
  const embedded = await embed(
    turn,
    screened.value.request,
    isolate.turnDeps(fleet.value, scope.background),
    call.client,
  );
  if (!embedded.ok) return respondRefusal(scope, withPromptField(embedded.error, "input"));
  const { body, model, answer, attempts, tried, usage, reservation } = embedded.value;
  const { record } = scope;
  record.model = model;
  record.cluster = answer.cluster;
  record.replica = answer.replica;
  record.attempts = attempts;
  if (tried !== undefined) record.tried = tried;
  record.promptTokens = usage.promptTokens;
  record.cachedTokens = usage.cachedTokens;
  return respondJson(scope, body, {
    "server-timing": serverTiming(record.stages),
    ...rateLimitHeaders(reservation.standing),
  });
};
