/** Is this message for the object that got it? Each names its version and the owner that the sender expects. */
import { type Owner, sameOwner } from "../../src/shared/contracts/owner.ts";

export type WrongMessage =
  | { readonly result: "unknown" }
  | { readonly result: "version-unsupported"; readonly supported: number };

/** `null`: it is. */
export function wrongMessage(
  { v, owner }: { readonly v: number; readonly owner: Owner },
  supported: number,
  store: { owner(): Owner | null },
): WrongMessage | null {
  if (v !== supported) return { result: "version-unsupported", supported };
  const known = store.owner();
  return known === null || sameOwner(known, owner) ? null : { result: "unknown" };
}
