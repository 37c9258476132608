/** `POST /v1/completions`: the plain one, for clients that still use it. */
import { askedCompletion } from "../../../src/shared/turn/asked-completion.ts";
import { screenCompletion } from "../../../src/shared/turn/screen-request.ts";
import { parseCompletionRequest } from "../../../src/shared/wire/completions-request.ts";
import { screenFor } from "../fleet-moderator.ts";
import type { TenantHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondRefusal } from "../respond.ts";
import { runDirect, withClientsField } from "../run-direct.ts";

export const createCompletion: TenantHandler = async (call) => {
  const { c, scope, tenant } = call;
  const text = await readJsonText(c.req.raw, tenant.requests.max_body_bytes);
  const request = text.ok ? parseCompletionRequest(text.value) : text;
  scope.mark("validate");
  if (!request.ok) return respondRefusal(scope, request.error);
  const asked = askedCompletion(request.value);
  const screened = await screenCompletion(request.value, tenant, screenFor(call, { asked }));
  scope.mark("screen");
  if (!screened.ok) return respondRefusal(scope, withClientsField(screened.error, asked));
  if (screened.value.findings !== null) scope.record.screened = screened.value.findings;
  return runDirect(call, askedCompletion(screened.value.request), "cmpl-");
};
