import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";

/** The object of one socket. */
export function sessionStub(
  env: Pick<Cloudflare.Env, "SESSION" | "ENVIRONMENT">,
  { session, jurisdiction }: { readonly session: string; readonly jurisdiction: Jurisdiction },
) {
  return inJurisdiction(env.SESSION, jurisdiction, env.ENVIRONMENT).getByName(session);
}
