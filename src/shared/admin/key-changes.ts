import { orgIdSchema, userIdSchema } from "../contracts/ids.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok } from "../contracts/result.ts";
import { hashApiKey, keyIdPattern, makeApiKey, makeKeyId, type KeyEnvironment } from "../identity/api-key.ts";
import { isOfTenantBefore, type KeyRecord } from "../identity/key-record.ts";
import { platformScope } from "../identity/scope.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { CreateKeyRequest, RotateKeyRequest } from "../wire/admin-requests.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import {
  actorOf,
  targetOf,
  unknownObject,
  type Admin,
  type AdminDeps,
  type AdminResult,
  type Target,
} from "./admin.ts";
import { keyStatus, maxMadeADay, type ChangeOutcome, type KeyStatus, type LedgerRefusal } from "./ledger.ts";

/**
 * What does `/admin/keys` do? It creates, lists, shows, rotates and revokes the keys of one tenant. The id of another tenant's key is
 * unknown, since only one tenant's ledger is asked. The key itself is made here and shown once; only its hash is stored.
 */
const maxPlatformLifeMs = 366 * 86_400_000;

export async function createKey(
  admin: Admin,
  request: CreateKeyRequest,
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, request.tenant, deps);
  if (!target.ok) return target;
  const { tenant, log } = target.value;
  const now = deps.now();
  const environment = request.environment ?? (deps.environment === "local" ? "local" : "live");
  const fault =
    commonFault(request, environment, deps.environment, now) ??
    (tenant === null ? platformFault(request, now) : tenantFault(request, tenant));
  if (fault !== null) return err(fault);
  const id = makeKeyId(deps.random(10));
  const value = makeApiKey(environment, id, deps.random(20));
  const actor = actorOf(admin.principal);
  const record: KeyRecord = {
    version: 1,
    id,
    environment,
    hash: await hashApiKey(deps.hash, value),
    tenant: tenant?.id ?? "platform",
    org: request.org ?? orgIdSchema.parse(log),
    user: request.user ?? userIdSchema.parse(`key-${id}`),
    name: request.name,
    tier: tenant === null ? "enterprise" : (request.tier ?? tenant.keys.tiers[0] ?? "free"),
    scopes: [...new Set(request.scopes)],
    limits: request.limits,
    allow_ips: request.allow_ips,
    created_ms: now,
    created_by: actor,
    expires_ms: request.expires_at === null ? null : request.expires_at * 1000,
    revoked_ms: null,
    rotated_from: null,
    rotated_to: null,
  };
  const outcome = await deps.ledger(target.value).change(actor, { type: "create-key", record });
  return shown(outcome, now, value);
}

export async function rotateKey(
  admin: Admin,
  named: { readonly tenant: string | undefined; readonly id: string },
  request: RotateKeyRequest,
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, named.tenant, deps);
  if (!target.ok) return target;
  if (!keyIdPattern.test(named.id)) return err(unknownObject);
  const ledger = deps.ledger(target.value);
  const old = await ledger.find(named.id);
  if (old === null) return err(unknownObject);
  if (isOfTenantBefore(old, target.value.tenant))
    return err(refusalOf({ result: "ended", status: "revoked" }));
  const id = makeKeyId(deps.random(10));
  const value = makeApiKey(old.environment, id, deps.random(20));
  const actor = actorOf(admin.principal);
  const outcome = await ledger.change(actor, {
    type: "rotate-key",
    id: named.id,
    next: { id, hash: await hashApiKey(deps.hash, value), created_by: actor },
    graceMs: request.grace_seconds * 1000,
  });
  return shown(outcome, deps.now(), value);
}

/** Repeating it is well; it has taken effect when it is answered with success. */
export async function revokeKey(
  admin: Admin,
  named: { readonly tenant: string | undefined; readonly id: string },
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, named.tenant, deps);
  if (!target.ok) return target;
  if (!keyIdPattern.test(named.id)) return err(unknownObject);
  const outcome = await deps
    .ledger(target.value)
    .change(actorOf(admin.principal), { type: "revoke-key", id: named.id });
  if (outcome.result === "changed" && !outcome.delivered)
    return err({
      kind: "dependency-unavailable",
      component: "audit log",
      retryAfterMs: 5_000,
      detail: "a revocation is written down and not yet told",
    });
  return shown(outcome, deps.now(), null);
}

/** `POST /admin/keys/restore`: for a KV that was lost, or begun anew. The keys are the same ones, and work again as they did. */
export async function restoreKeys(
  admin: Admin,
  tenant: string | undefined,
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, tenant, deps);
  if (!target.ok) return target;
  const outcome = await deps.ledger(target.value).change(actorOf(admin.principal), { type: "restore-keys" });
  if (outcome.result !== "changed") return err(refusalOf(outcome));
  const keys = Number(outcome.entry?.detail["keys"]);
  return ok({ object: "api_keys_restored", tenant: target.value.log, keys, pending: !outcome.delivered });
}

export async function showKey(
  admin: Admin,
  named: { readonly tenant: string | undefined; readonly id: string },
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, named.tenant, deps);
  if (!target.ok) return target;
  const record = keyIdPattern.test(named.id) ? await deps.ledger(target.value).find(named.id) : null;
  if (record === null) return err(unknownObject);
  return ok(keyObject(record, statusFor(target.value, record, deps.now()), null));
}

export async function listKeys(
  admin: Admin,
  page: { readonly tenant: string | undefined; readonly after: string | null; readonly limit: number },
  deps: AdminDeps,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, page.tenant, deps);
  if (!target.ok) return target;
  const found = await deps.ledger(target.value).list(page.after, page.limit);
  if (found.result === "unknown") return err(invalidValue("after", "is no key of this list"));
  const now = deps.now();
  const data = found.records.map((record) => keyObject(record, statusFor(target.value, record, now), null));
  return ok({
    object: "list",
    data,
    has_more: found.hasMore,
    next_after: found.hasMore ? (found.records.at(-1)?.id ?? null) : null,
  });
}

function shown(outcome: ChangeOutcome, now: number, value: string | null): AdminResult<object> {
  if (outcome.result !== "changed") return err(refusalOf(outcome));
  if (outcome.record === null) throw new Error("a key's change has a record");
  return ok(keyObject(outcome.record, keyStatus(outcome.record, now), value));
}

/** A key of an earlier tenant with this id is not a key of this one, whatever its record says. */
function statusFor({ tenant }: Target, record: KeyRecord, now: number): KeyStatus {
  return isOfTenantBefore(record, tenant) ? "revoked" : keyStatus(record, now);
}

function refusalOf(refusal: LedgerRefusal): Refusal {
  switch (refusal.result) {
    case "unknown":
      return unknownObject;
    case "too-many":
      return {
        kind: "conflict",
        message: `There are ${refusal.maxKeys} live keys already, the most that a tenant may have. Revoke some.`,
      };
    case "too-many-made":
      return {
        kind: "conflict",
        message: `${maxMadeADay} keys were made within a day, the most that a tenant may make. The next one can be made from ${new Date(Math.ceil(refusal.untilMs / 1000) * 1000).toISOString().replace(".000", "")} on.`,
      };
    case "ended":
      return { kind: "conflict", message: `This key is ${refusal.status} already: it can't be rotated.` };
  }
}

function keyObject(record: KeyRecord, status: KeyStatus, value: string | null): object {
  const { id, tenant, name, environment, org, user, tier, scopes, limits, allow_ips } = record;
  return {
    object: "api_key",
    id,
    tenant,
    name,
    environment,
    org,
    user,
    tier,
    scopes,
    limits,
    allow_ips,
    status,
    redacted_value: `ew_${environment}_${id}_…`,
    created_at: inSeconds(record.created_ms),
    created_by: record.created_by,
    expires_at: record.expires_ms === null ? null : inSeconds(record.expires_ms),
    revoked_at: record.revoked_ms === null ? null : inSeconds(record.revoked_ms),
    rotated_from: record.rotated_from,
    rotated_to: record.rotated_to,
    ...(value !== null && { value }),
  };
}

function inSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function commonFault(
  request: CreateKeyRequest,
  environment: KeyEnvironment,
  where: AdminDeps["environment"],
  now: number,
): Refusal | null {
  if ((environment === "local") !== (where === "local"))
    return invalidValue("environment", `can't be '${environment}' here`);
  if (request.expires_at !== null && request.expires_at * 1000 <= now)
    return invalidValue("expires_at", "is in the past");
  if (request.limits !== null && request.user !== undefined)
    return invalidValue(
      "limits",
      "can't stand beside 'user': limits are counted by user, and this one has other credentials",
    );
  return null;
}

/** A tenant's key has what the tenant's configuration gives its keys, whoever makes it. */
function tenantFault(request: CreateKeyRequest, { keys }: TenantConfig): Refusal | null {
  if (request.tier !== undefined && !keys.tiers.includes(request.tier))
    return invalidValue("tier", "is not among the tiers that keys of this tenant may have");
  for (const [at, scope] of request.scopes.entries())
    if (scope.startsWith("platform:") || !keys.scopes.includes(scope))
      return invalidValue(`scopes[${at}]`, "is not among the scopes that keys of this tenant may have");
  return null;
}

function platformFault(request: CreateKeyRequest, now: number): Refusal | null {
  for (const field of ["org", "tier"] as const)
    if (request[field] !== undefined) return invalidValue(field, "is not for the platform's own keys");
  if (request.limits !== null) return invalidValue("limits", "is not for the platform's own keys");
  if (request.scopes.length === 0)
    return invalidValue("scopes", "must name what the key may do, as platform:metrics");
  for (const [at, scope] of request.scopes.entries())
    if (!platformScope.safeParse(scope).success)
      return invalidValue(`scopes[${at}]`, "is no scope of the platform");
  if (request.expires_at === null || request.expires_at * 1000 > now + maxPlatformLifeMs)
    return invalidValue("expires_at", "must be within 366 days for a key of the platform");
  return null;
}
