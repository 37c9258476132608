import type { Refusal } from "../contracts/refusal.ts";
import type { Reservation } from "../limits/ports.ts";

/** The refusal of a turn that was admitted by an estimate, and whose real prompt exceeds what is left. */
export function promptExhausted(reservation: Reservation, promptTokens: number, choices: number): Refusal {
  const refusal = reservation.refusal ?? { kind: "internal", detail: "an extension failed without a reason" };
  if (refusal.kind !== "limited") return refusal;
  // The refusal gives the reservation back, so it counts as room.
  const room = refusal.limit.largestMaxTokens;
  const largestMaxTokens = Math.max(0, Math.floor((room - promptTokens) / choices));
  return { kind: "limited", limit: { ...refusal.limit, largestMaxTokens } };
}
