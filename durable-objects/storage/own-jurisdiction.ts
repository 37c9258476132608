import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";

/** Where this object lives: its id says so. */
export function ownJurisdiction({ id }: Pick<DurableObjectState, "id">): Jurisdiction {
  return id.jurisdiction === "eu" ? "eu" : "none";
}
