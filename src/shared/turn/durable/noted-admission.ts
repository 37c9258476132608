import type { Admission } from "../../limits/ports.ts";

/** The same admission, which reports when the turn is let in: from then on it has a reservation. */
export function notedAdmission(admission: Admission, onAdmitted: () => void): Admission {
  return {
    admit: async (request) => {
      const admitted = await admission.admit(request);
      if (admitted.ok) onAdmitted();
      return admitted;
    },
  };
}
