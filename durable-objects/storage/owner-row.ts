/** The owner of an object that notes it in a table of one row (`owner`: `tenant`, `user`). */
import type { Owner } from "../../src/shared/contracts/owner.ts";

/** `null`: it has no owner yet. */
export function ownerRow(sql: SqlStorage): Owner | null {
  return sql.exec<{ tenant: string; user: string }>("SELECT tenant, user FROM owner").toArray()[0] ?? null;
}
