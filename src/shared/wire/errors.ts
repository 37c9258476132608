/**
 * Which error does a client get if its request ends without an answer? Only this file decides: one exhaustive switch from
 * the internal reason (detailed, for the log) to OpenAI's error body (deliberately brief). No text of an engine or another
 * dependency passes, and another caller's object reads the same as a missing one.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { contextError } from "./context-error.ts";
import { credentialError } from "./credential-error.ts";
import { formatDuration } from "./durations.ts";
import { echoedText } from "./echoed-text.ts";
import { limitError } from "./limit-error.ts";
import { rejectedError } from "./rejected-error.ts";
import { retryAfter, wire, type WireError } from "./wire-error.ts";

/** What messages may mention about the request. All of it came from the client or was sent to it. */
export interface WireErrorContext {
  readonly requestId?: string;
  readonly method?: string;
  readonly path?: string;
}

/** The longest piece of a client's own text that a message repeats. */
const maxEchoedCharacters = 128;

export function toWireError(refusal: Refusal, context: WireErrorContext = {}): WireError {
  switch (refusal.kind) {
    case "credential-missing":
    case "credential-invalid":
    case "scope-missing":
    case "signature-invalid":
      return credentialError(refusal);
    case "blocked":
      return wire(
        403,
        "invalid_request_error",
        "request_blocked",
        null,
        `This request was blocked by a rule of this service. If that is a mistake, tell the operator${reference(context)}.`,
      );
    case "address-limited":
      return wire(
        429,
        "requests",
        "rate_limit_exceeded",
        null,
        `Too many requests from your address. Try again ${inWhile(refusal.retryAfterMs)}.`,
        retryAfter(refusal.retryAfterMs),
      );
    case "url-too-long":
      return wire(
        414,
        "invalid_request_error",
        "url_too_long",
        null,
        `The URL is over the limit of ${refusal.maxCharacters} characters.`,
      );
    case "url-invalid":
      return wire(
        400,
        "invalid_request_error",
        "invalid_url",
        null,
        `This URL can be read in more than one way: it holds ${refusal.detail}. Encode it once, without dot segments.`,
      );
    case "headers-too-large":
      return wire(
        431,
        "invalid_request_error",
        "headers_too_large",
        null,
        `The headers are over the limit of ${refusal.maxHeaders} lines or ${refusal.maxCharacters} characters together.`,
      );
    case "route-unknown":
      return wire(404, "invalid_request_error", "unknown_url", null, unknownUrl(refusal, route(context)));
    case "method-not-allowed": {
      const allow = refusal.allow.join(", ");
      return wire(
        405,
        "invalid_request_error",
        "method_not_allowed",
        null,
        refusal.upgrade === undefined
          ? `This URL does not take ${context.method === undefined ? "that method" : printable(context.method)}. Use ${allow}.`
          : `This URL takes GET only to open a WebSocket ('Upgrade: ${refusal.upgrade}'). For an answer over HTTP, use ${allow}.`,
        { allow },
      );
    }
    case "media-type-unsupported":
      return wire(
        415,
        "invalid_request_error",
        "unsupported_media_type",
        null,
        refusal.wanted === "form"
          ? "The body must be a form, not compressed, sent with the header 'Content-Type: multipart/form-data; boundary=…'."
          : "The body must be JSON, not compressed, sent with the header 'Content-Type: application/json'.",
      );
    case "body-too-large":
      return wire(
        413,
        "invalid_request_error",
        "request_too_large",
        null,
        tooLarge[refusal.what ?? "body"](refusal.maxBytes),
      );
    case "json-invalid":
      return wire(
        400,
        "invalid_request_error",
        "invalid_json",
        null,
        refusal.isEmpty === true
          ? "The body is empty. Send a JSON object."
          : "The body is not valid JSON. Check quotes, commas and brackets, and that it is UTF-8.",
      );
    case "value-invalid":
      return wire(400, "invalid_request_error", "invalid_value", refusal.param, refusal.message);
    case "parameter-unknown":
      return wire(
        400,
        "invalid_request_error",
        "unknown_parameter",
        printable(refusal.param),
        `Unknown parameter: '${printable(refusal.param)}'. ${refusal.meant === undefined ? "Check its spelling, or leave it out" : `Did you mean '${refusal.meant}'? Else leave it out`}.`,
      );
    case "parameter-unsupported":
      return wire(400, "invalid_request_error", "unsupported_parameter", refusal.param, refusal.message);
    case "model-unknown":
      return wire(
        404,
        "invalid_request_error",
        "model_not_found",
        "model",
        `The model '${printable(refusal.model)}' does not exist or you do not have access to it. GET /v1/models lists those you can use.`,
      );
    case "object-unknown":
      return wire(
        404,
        "invalid_request_error",
        "not_found",
        refusal.namedBy ?? null,
        refusal.namedBy === undefined
          ? "There is no such object, or you do not have access to it."
          : `'${refusal.namedBy}' names no object that exists and that you have access to.`,
      );
    case "context-too-long":
      return contextError(refusal);
    case "limited":
      return limitError(refusal.limit);
    case "idempotency-reused":
      return wire(
        422,
        "invalid_request_error",
        "idempotency_key_reused",
        null,
        "This Idempotency-Key was used before with another body. Use a new key for a new request.",
      );
    case "conflict":
      return wire(409, "invalid_request_error", "conflict", null, refusal.message, noRetry);
    case "not-stored":
      // Neither a hit nor forwarded (RFC 9211, section 2).
      return wire(504, "invalid_request_error", "no_stored_answer", null, noStoredAnswer, {
        ...noRetry,
        "cache-status": "edgewise; detail=only-if-cached",
      });
    case "content-refused":
      return wire(
        400,
        "invalid_request_error",
        "content_policy_violation",
        refusal.param ?? null,
        `The prompt was refused by the content policy${categories(refusal.categories)}. Change it and send it again.`,
      );
    case "origin-rejected":
      return rejectedError(refusal.param ?? null, reference(context));
    case "origin-unavailable":
      return wire(
        503,
        "server_error",
        "service_unavailable",
        null,
        `No server of this model can answer at the moment. Try again ${inWhile(refusal.retryAfterMs)}${reference(context)}.`,
        retryAfter(refusal.retryAfterMs),
      );
    case "overloaded":
      return wire(
        503,
        "server_error",
        "overloaded",
        null,
        `Every server of this model is busy. Try again ${inWhile(refusal.retryAfterMs)}${reference(context)}.`,
        retryAfter(refusal.retryAfterMs),
      );
    case "deadline-exceeded":
      return wire(504, "server_error", "deadline_exceeded", null, deadlineExceeded, noRetry);
    case "dependency-unavailable":
      return wire(
        503,
        "server_error",
        "service_unavailable",
        null,
        `A part of this service can't be reached at the moment. Try again ${inWhile(refusal.retryAfterMs)}${reference(context)}.`,
        retryAfter(refusal.retryAfterMs),
      );
    case "client-gone":
      // No client reads it; the status only reaches the log. 408 is the registered one that blames neither side's software.
      return wire(
        408,
        "invalid_request_error",
        "request_cancelled",
        null,
        "The client closed the connection before the answer was complete.",
        noRetry,
      );
    case "internal":
      return wire(
        500,
        "server_error",
        "internal_error",
        null,
        `Something went wrong on our side. Try again; if it stays, tell the operator${reference(context)}.`,
      );
  }
}

function unknownUrl({ meant, instead }: Extract<Refusal, { kind: "route-unknown" }>, asked: string): string {
  const routes = "GET /docs lists every route.";
  if (instead !== undefined) return `This route is not offered here${asked}. Use ${instead}. ${routes}`;
  return meant === undefined
    ? `Unknown URL${asked}. ${routes}`
    : `Unknown URL${asked}. Did you mean '${printable(meant)}'? A client's base URL ends in '/v1'. ${routes}`;
}

const tooLarge = {
  body: (most: number) =>
    `The body is over the limit of ${most} bytes. Send fewer or shorter messages, or smaller media.`,
  file: (most: number) =>
    `The file is over the limit of ${most} bytes. Send a smaller one, or its parts as files of their own.`,
  part: (most: number) => `The part is over the limit of ${most} bytes. Send the file in smaller parts.`,
};
const noRetry: Readonly<Record<string, string>> = { "x-should-retry": "false" };

const deadlineExceeded =
  "The answer took longer than is allowed here. Ask for fewer tokens, or for a stream, of which what was said by then is yours.";
const noStoredAnswer =
  "No answer to this request is stored, and its header 'Cache-Control: only-if-cached' asks for no other. Leave that out to have one made.";

function inWhile(milliseconds: number): string {
  return milliseconds < 1000 ? "in a moment" : `in ${formatDuration(milliseconds)}`;
}

function reference(context: WireErrorContext): string {
  return context.requestId === undefined ? "" : ` (request ${context.requestId})`;
}

function route(context: WireErrorContext): string {
  return context.method === undefined || context.path === undefined
    ? ""
    : `: ${printable(context.method)} ${printable(context.path)}`;
}

function categories(names: readonly string[]): string {
  return names.length === 0 ? "" : ` (${names.map(printable).join(", ")})`;
}

function printable(text: string): string {
  return echoedText(text, maxEchoedCharacters);
}
