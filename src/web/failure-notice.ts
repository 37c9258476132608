/** What is shown of an error that was thrown, whatever it is? */
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

/** How a browser says that the connection is gone in the middle of a body, and that it was given up. */
function isLost(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    (error instanceof DOMException && (error.name === "TimeoutError" || error.name === "AbortError"))
  );
}

/** Asked again it would be refused again. 401: the credential has ended, which ends the page's session. */
export function isForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

export function noticeOf(error: unknown): Notice {
  return adviceFor(failureOf(error), Date.now());
}
