/** Erases every file and store of a user, or (`user` null) of a tenant and its users, from outside of their objects. */
import { libraryName, libraryVersion, type EraseLibraryOutcome } from "../../src/shared/contracts/library.ts";
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import { callObject, calledObject } from "../storage/call-object.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";

/**
 * @param closedUntilMs of a whole tenant: until then nobody of it makes anything new; 0: they may
 * @returns how many (stores, files' bytes, users) have not heard yet, and will. Throws where the owner's object can't be asked
 */
export async function eraseLibrary(
  env: Pick<Cloudflare.Env, "LIBRARY" | "ENVIRONMENT">,
  place: { readonly tenant: string; readonly user: string | null; readonly jurisdiction: Jurisdiction },
  closedUntilMs: number,
): Promise<number> {
  const { tenant, jurisdiction } = place;
  const owner = { tenant, user: place.user ?? "" };
  const name = libraryName(owner);
  const called = await callObject<EraseLibraryOutcome>(
    async () =>
      inJurisdiction(env.LIBRARY, jurisdiction, env.ENVIRONMENT)
        .getByName(name)
        .erase({ v: libraryVersion, owner, jurisdiction, closedUntilMs }),
    calledObject("library", name),
  );
  if (!called.ok) throw new Error(called.error.detail);
  if (called.value.result !== "erased") throw new Error(`a library answers ${called.value.result}`);
  return called.value.pending;
}
