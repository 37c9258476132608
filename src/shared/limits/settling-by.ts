import { ok } from "../contracts/result.ts";
import type { Admission, Reservation, TurnUse } from "./ports.ts";

/** The same admission with another settlement: only `settle` is called with what the turns used. */
export function settlingBy(admission: Admission, settle: (use: TurnUse) => void): Admission {
  return {
    admit: async (request) => {
      const admitted = await admission.admit(request);
      return admitted.ok ? ok(settledBy(admitted.value, settle)) : admitted;
    },
  };
}

function settledBy(reservation: Reservation, settle: (use: TurnUse) => void): Reservation {
  return {
    chargeId: reservation.chargeId,
    standing: reservation.standing,
    get tokens() {
      return reservation.tokens;
    },
    get microdollars() {
      return reservation.microdollars;
    },
    get refusal() {
      return reservation.refusal;
    },
    extend: (tokens, microdollars) => reservation.extend(tokens, microdollars),
    settle,
  };
}
