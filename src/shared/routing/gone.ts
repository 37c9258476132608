import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { OriginFailure } from "./ports.ts";

/** Why a signal fired: the client left, or the turn's deadline passed, which is not the client's doing. */
export function goneFailure(signal: LeaveSignal): OriginFailure {
  const reason: unknown = signal.reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? { kind: "origin-unavailable", retryAfterMs: 1000, detail: "the turn's time was over" }
    : { kind: "client-gone" };
}
