import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { OriginFailure } from "./ports.ts";

/** What a fired signal means. It also ends a turn whose whole time is over; that is no client's doing. */
export function goneFailure(signal: LeaveSignal): OriginFailure {
  const reason: unknown = signal.reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? { kind: "origin-unavailable", retryAfterMs: 1000, detail: "the turn's time was over" }
    : { kind: "client-gone" };
}
