/** Which notice is shown for a thrown error of any kind? */
import { adviceFor, type ApiFailure } from "./advice.ts";
import { ApiError } from "./api.ts";
import type { Notice } from "./chat-state.ts";

export function failureOf(error: unknown): ApiFailure {
  return error instanceof ApiError
    ? error.failure
    : {
        status: isLost(error) ? 0 : 502,
        code: null,
        message: "The answer could not be read.",
        retryAfterMs: null,
      };
}

/** The errors of a browser for a connection lost within a body, and for a request that was aborted. */
function isLost(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    (error instanceof DOMException && (error.name === "TimeoutError" || error.name === "AbortError"))
  );
}

/** Whether a repetition would be refused again. 401: the credential has ended, and with it the page's session. */
export function isForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

export function noticeOf(error: unknown): Notice {
  return adviceFor(failureOf(error), Date.now());
}
