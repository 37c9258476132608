/** Whose is an object that keeps its owner in a table of one row (`owner`: `tenant`, `user`)? */
import type { Owner } from "../../src/shared/contracts/owner.ts";

/** `null`: nobody's yet. */
export function ownerRow(sql: SqlStorage): Owner | null {
  return sql.exec<{ tenant: string; user: string }>("SELECT tenant, user FROM owner").toArray()[0] ?? null;
}
