import type { Ledger } from "../../src/shared/admin/ledger.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { AuditLog } from "./audit-log.ts";
import type { LogOwner } from "./audit-store.ts";

/** The ledger of this owner, kept by its audit-log object. A stub is made for each call: one that failed stays broken. */
export function auditLedger(
  namespace: DurableObjectNamespace<AuditLog>,
  owner: LogOwner,
  environment: Cloudflare.Env["ENVIRONMENT"],
): Ledger {
  const { log, jurisdiction } = owner;
  const name = jurisdiction === "none" || environment === "production" ? log : `${jurisdiction}:${log}`;
  const stub = (): DurableObjectStub<AuditLog> =>
    inJurisdiction(namespace, jurisdiction, environment).getByName(name);
  return {
    change: (actor, command) => stub().change({ v: 1, owner, actor, command }),
    find: (id) => stub().find(log, id),
    list: (after, limit) => stub().list(log, after, limit),
    entries: (before, limit) => stub().entries(log, before, limit),
  };
}
