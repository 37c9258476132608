/** The label of `edgewise_grounding_total`: what an answer was given from files, or why nothing. */

const faults = ["late", "unreachable", "unknown"] as const;

type GroundingResult = (typeof faults)[number] | "grounded" | "no_room" | "withheld" | "nothing";

/**
 * One an answer: where something may be missing, that it is, whatever else was found.
 *
 * @param told as the log has it (`groundingTold`): `found:5`, `late found:0 withheld:1`
 */
export function groundingResult(told: string): GroundingResult {
  const fault = faults.find((name) => told.startsWith(`${name} `));
  if (fault !== undefined) return fault;
  if (!told.startsWith("found:0")) return "grounded";
  if (told.includes(" unshown:")) return "no_room";
  return told.includes(" withheld:") ? "withheld" : "nothing";
}
