/** How is an error sent: as body and headers, or as an event of a stream that has begun? errors.ts decides its content. */

/** OpenAI's error object. Programs branch on `code`; `message` is for people. */
export interface WireErrorObject {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string;
}

export interface WireErrorBody {
  readonly error: WireErrorObject;
}

export interface WireError {
  readonly status: number;
  /** Lower-case names. The caller adds `content-type`, since the same body is also sent within a stream. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WireErrorBody;
}

/** OpenAI's clients sleep any `Retry-After` in full. The application, not its library, should decide about a longer wait than this. */
const longestAutomaticWaitMs = 30_000;

const noHeaders: Readonly<Record<string, string>> = {};

export function wire(
  status: number,
  type: string,
  code: string,
  param: string | null,
  message: string,
  headers: Readonly<Record<string, string>> = noHeaders,
): WireError {
  return { status, headers, body: { error: { message, type, param, code } } };
}

/** `Retry-After` in whole seconds, rounded up so that obeying it suffices, and OpenAI's finer `retry-after-ms`. */
export function retryAfter(milliseconds: number): Record<string, string> {
  const waitMs = Number.isFinite(milliseconds) ? Math.max(1, Math.ceil(milliseconds)) : 86_400_000;
  const headers: Record<string, string> = {
    "retry-after": String(Math.ceil(waitMs / 1000)),
    "retry-after-ms": String(waitMs),
  };
  if (waitMs > longestAutomaticWaitMs) headers["x-should-retry"] = "false";
  return headers;
}

/** An error body as the last event of a stream that has already begun: no `[DONE]` follows. `json` must be our own. */
export function lateErrorEvent(json: string, isTextFormat: boolean): string {
  if (!isTextFormat) return `data: ${json}\n\n`;
  const body = JSON.parse(json) as WireErrorBody;
  return `data: ${JSON.stringify({ text: "", done: true, error: body.error })}\n\n`;
}

/** The same for a stream of the Responses API, where it is the only event. */
export function lateResponseErrorEvent(json: string): string {
  const { code, message, param } = (JSON.parse(json) as WireErrorBody).error;
  const event = { type: "error", code, message, param, sequence_number: 0 };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}
