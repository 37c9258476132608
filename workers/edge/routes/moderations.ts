/** `POST /v1/moderations`: admitted and settled like a turn, answered whole. */
import { rateLimitHeaders } from "../../../src/shared/limits/limit-headers.ts";
import { serverTiming } from "../../../src/shared/telemetry/request-record.ts";
import { answerModeration, directCallOf } from "../direct-answers.ts";
import type { TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";

export const createModeration: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const answered = text.ok ? await answerModeration(directCallOf(call), text.value) : text;
  if (!answered.ok) return respondRefusal(scope, answered.error);
  const { body, reservation } = answered.value;
  return respondJson(scope, body, {
    "server-timing": serverTiming(scope.record.stages),
    ...rateLimitHeaders(reservation.standing),
  });
};
