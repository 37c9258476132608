/** The label of `edgewise_grounding_total`: whether an answer got passages of files, or why not. */

const faults = ["late", "unreachable", "unknown"] as const;

type GroundingResult = (typeof faults)[number] | "grounded" | "no_room" | "withheld" | "nothing";

/**
 * One label for each answer: a fault if passages may be missing, whatever was found.
 *
 * @param told in the log's form (`groundingTold`): `found:5`, `late found:0 withheld:1`
 */
export function groundingResult(told: string): GroundingResult {
  const fault = faults.find((name) => told.startsWith(`${name} `));
  if (fault !== undefined) return fault;
  if (!told.startsWith("found:0")) return "grounded";
  if (told.includes(" unshown:")) return "no_room";
  return told.includes(" withheld:") ? "withheld" : "nothing";
}
