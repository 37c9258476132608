/** How does an answer leave? With its ids, in OpenAI's form, and with the request's record closed. */
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import type { RequestScope } from "../../src/shared/telemetry/request-scope.ts";
import { toWireError } from "../../src/shared/wire/errors.ts";

export type HeaderRecord = Record<string, string>;

/** Headers that every answer of the API carries. Answers are one caller's own: nothing on the way may keep them. */
export function baseHeaders(scope: RequestScope): HeaderRecord {
  return {
    "x-request-id": scope.correlation.requestId,
    traceparent: scope.correlation.traceparent,
    "x-content-type-options": "nosniff",
    // Opened as a page, an answer can load, run and embed nothing, and tells nobody its address.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  };
}

/** All headers of an answer with a body: those of every answer, and its own, which win. */
export function answerHeaders(scope: RequestScope, contentType: string, own: HeaderRecord): HeaderRecord {
  const headers = baseHeaders(scope);
  headers["content-type"] = contentType;
  return Object.assign(headers, own);
}

/** A whole JSON answer; ends the request's record. `body` is JSON already where it is a string. */
export function respondJson(
  scope: RequestScope,
  body: unknown,
  headers: HeaderRecord = {},
  status = 200,
): Response {
  scope.record.status = status;
  scope.finish();
  return new Response(typeof body === "string" ? body : JSON.stringify(body), {
    status,
    headers: answerHeaders(scope, "application/json", headers),
  });
}

/**
 * The refusal as OpenAI's error body; ends the request's record.
 *
 * @param path of the URL, where the answer may name it
 */
export function respondRefusal(
  scope: RequestScope,
  refusal: Refusal,
  headers: HeaderRecord = {},
  path?: string,
): Response {
  const { requestId } = scope.correlation;
  const wire = toWireError(refusal, {
    requestId,
    method: scope.record.method,
    ...(path === undefined ? {} : { path }),
  });
  scope.refuse(refusal);
  return respondJson(scope, wire.body, { ...headers, ...wire.headers }, wire.status);
}
