import type { Ledger } from "../../src/shared/admin/ledger.ts";
import { type TenantClaims, tenantClaimsVersion } from "../../src/shared/admin/tenant-claims.ts";
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";
import { reached } from "../../src/shared/contracts/unreachable.ts";
import { inJurisdiction } from "../storage/jurisdiction.ts";
import type { AuditLog } from "./audit-log.ts";
import type { LogOwner } from "./audit-store.ts";

function asked<T>(call: () => Promise<T>): Promise<T> {
  return reached("audit log", call);
}

/** The ledger of this owner, kept by its audit-log object. A stub is made for each call: one that failed stays broken. */
export function auditLedger(
  namespace: DurableObjectNamespace<AuditLog>,
  owner: LogOwner,
  environment: Cloudflare.Env["ENVIRONMENT"],
): Ledger {
  const { log } = owner;
  const stub = (): DurableObjectStub<AuditLog> => stubOf(namespace, owner, environment);
  return {
    change: (actor, command) => asked(async () => stub().change({ v: 1, owner, actor, command })),
    find: (id) => asked(async () => stub().find(log, id)),
    list: (after, limit) => asked(async () => stub().list(log, after, limit)),
    entries: (before, limit) => asked(async () => stub().entries(log, before, limit)),
  };
}

/** Kept by the platform's own log, which each change of a tenant is written to anyway. */
export function tenantClaims(
  env: Pick<Cloudflare.Env, "AUDIT_LOG" | "ENVIRONMENT">,
  report: ReportFault,
): TenantClaims {
  const stub = () => stubOf(env.AUDIT_LOG, { log: "platform", jurisdiction: "none" }, env.ENVIRONMENT);
  return {
    async begin(change) {
      const begun = await asked(async () => stub().beginChange({ ...change, v: tenantClaimsVersion }));
      if (begun.result === "version-unsupported") throw new Error("the audit log speaks another version");
      return begun;
    },
    async othersOf(tenant, keys) {
      const held = await asked(async () => stub().heldByOthers({ v: tenantClaimsVersion, tenant, keys }));
      if (held.result !== "ok") throw new Error("the audit log speaks another version");
      return held.keys;
    },
    async end(change, isKept, leaves) {
      try {
        const { result } = await stub().endChange({
          ...change,
          v: tenantClaimsVersion,
          isKept,
          ...(leaves !== undefined && { leaves }),
        });
        if (result !== "ended")
          report("audit log", `the end of a change of tenant ${change.tenant}: ${result}`);
      } catch (error) {
        report("audit log", `the end of a change of tenant ${change.tenant}: ${String(error)}`);
      }
    },
  };
}

/**
 * When all that a tenant and its users keep was erased last, in milliseconds since 1970; `null`: never. Rejects when it can't be asked.
 */
export async function lastErasureOf(
  env: Pick<Cloudflare.Env, "AUDIT_LOG" | "ENVIRONMENT">,
  tenant: string,
  jurisdiction: LogOwner["jurisdiction"],
): Promise<number | null> {
  return stubOf(env.AUDIT_LOG, { log: tenant, jurisdiction }, env.ENVIRONMENT).lastErasure(tenant);
}

function stubOf(
  namespace: DurableObjectNamespace<AuditLog>,
  { log, jurisdiction }: LogOwner,
  environment: Cloudflare.Env["ENVIRONMENT"],
): DurableObjectStub<AuditLog> {
  const name = jurisdiction === "none" || environment === "production" ? log : `${jurisdiction}:${log}`;
  return inJurisdiction(namespace, jurisdiction, environment).getByName(name);
}
