/** What is a client told when an answer breaks after its first byte? Our words, never the engine's. */
import type { WireErrorObject } from "../wire/wire-error.ts";

/** How a stream ended, reported exactly once. */
export type StreamEnd =
  | "done"
  /** The budget was used up; the answer ended with `length`. */
  | "budget-spent"
  /** The guard stopped it; the answer ended with `content_filter`. */
  | "blocked"
  | "client-gone"
  /** The engine failed, sent what can't be read, or stopped without a finish reason. */
  | "origin-error"
  | "stalled"
  | "deadline";

export type StreamFailure = Extract<StreamEnd, "origin-error" | "stalled" | "deadline">;

/**
 * Did the engine break it off? A client that waits for the whole answer then has nothing and pays nothing; one that leaves, or asks for more than
 * there is time for, pays.
 */
export function isBrokenOff(end: StreamEnd): boolean {
  return end === "origin-error" || end === "stalled";
}

export function streamFailureError(failure: StreamFailure): WireErrorObject {
  switch (failure) {
    case "origin-error":
      return serverError(
        "service_unavailable",
        "The model server failed before the answer was complete. What came before this event is incomplete: send the request again.",
      );
    case "stalled":
      return serverError(
        "service_unavailable",
        "The model server stopped sending before the answer was complete. What came before this event is incomplete: send the request again.",
      );
    case "deadline":
      return serverError(
        "deadline_exceeded",
        "The answer took longer than is allowed here. What came before this event is incomplete: ask for fewer tokens.",
      );
  }
}

function serverError(code: string, message: string): WireErrorObject {
  return { message, type: "server_error", param: null, code };
}
