import type { Admission } from "../../limits/ports.ts";

/** The same admission, which says when it lets the turn in: from then on something is set aside for it. */
export function notedAdmission(admission: Admission, onAdmitted: () => void): Admission {
  return {
    admit: async (request) => {
      const admitted = await admission.admit(request);
      if (admitted.ok) onAdmitted();
      return admitted;
    },
  };
}
