/** `/admin/*`: what platform and tenant admins do. The rules are in src/shared/admin; here are bodies, queries and bindings. */
import type * as z from "zod";
import { auditLedger, tenantClaims } from "../../../durable-objects/audit-log/audit-ledger.ts";
import { bucketStub } from "../../../durable-objects/token-bucket/bucket-stub.ts";
import type { Admin, AdminResult, LedgerPlace } from "../../../src/shared/admin/admin.ts";
import { semanticErasure } from "../../../durable-objects/semantic-index/semantic-index-port.ts";
import { eraseLibrary } from "../../../durable-objects/library/erase-library.ts";
import { eraseHistory, eraseKnowledge, eraseSimilar } from "../../../src/shared/admin/erasures.ts";
import { askedBy } from "../../../src/shared/cache/semantic/semantic-turn.ts";
import { auditPage } from "../../../src/shared/admin/audit-page.ts";
import {
  createKey,
  listKeys,
  restoreKeys,
  revokeKey,
  rotateKey,
  showKey,
} from "../../../src/shared/admin/key-changes.ts";
import type { Ledger } from "../../../src/shared/admin/ledger.ts";
import { revokeOwner } from "../../../src/shared/admin/revoke-owner.ts";
import {
  deleteTenant,
  listTenants,
  putTenant,
  showTenant,
  type TenantDeps,
} from "../../../src/shared/admin/tenant-changes.ts";
import type { Refusal } from "../../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import { reached, Unreachable } from "../../../src/shared/contracts/unreachable.ts";
import { bucketName } from "../../../src/shared/limits/bucket-name.ts";
import { tenantIdOfKey, tenantPrefix } from "../../../src/shared/tenancy/tenant-entries.ts";
import {
  createKeySchema,
  revocationSchema,
  rotateKeySchema,
} from "../../../src/shared/wire/admin-requests.ts";
import { parseJson } from "../../../src/shared/wire/parse-json.ts";
import { invalidValue, refusalOfIssues } from "../../../src/shared/wire/zod-refusal.ts";
import { eraseHistory as eraseOwnersHistory } from "../erase-history.ts";
import type { AdminCall, AdminHandler } from "../handle.ts";
import { readJsonText } from "../read-body.ts";
import { respondJson, respondRefusal } from "../respond.ts";

const maxBodyBytes = 65_536;
/** A tenant's configuration may hold key sets and a long prompt. */
const maxTenantBytes = 1_048_576;
const page = { usual: 20, most: 100 } as const;

export const createApiKey: AdminHandler = (call) =>
  withBody(call, createKeySchema, (body, admin, deps) =>
    whose(call, body, (request) => createKey(admin, request, deps)),
  );

export const listApiKeys: AdminHandler = (call) =>
  withPage(call, (range, admin, deps) => listKeys(admin, range, deps));

export const showApiKey: AdminHandler = (call) =>
  answer(call, showKey(adminOf(call), namedKey(call), depsOf(call)));

export const rotateApiKey: AdminHandler = (call) =>
  withBody(call, rotateKeySchema, (body, admin, deps) => rotateKey(admin, namedKey(call), body, deps));

export const revokeApiKey: AdminHandler = (call) =>
  answer(call, revokeKey(adminOf(call), namedKey(call), depsOf(call)));

export const restoreApiKeys: AdminHandler = (call) =>
  answer(call, restoreKeys(adminOf(call), call.c.req.query("tenant"), depsOf(call)));

export const createRevocation: AdminHandler = (call) =>
  withBody(call, revocationSchema, (body, admin, deps) =>
    whose(call, body, (request) => revokeOwner(admin, request, deps)),
  );

export const showAudit: AdminHandler = (call) =>
  withPage(call, (range, admin, deps) => auditPage(admin, range, deps));

export const listAllTenants: AdminHandler = (call) =>
  withPage(call, (range, _admin, deps) => listTenants(range, deps));

export const showOneTenant: AdminHandler = (call) =>
  answer(call, showTenant(adminOf(call), idOf(call), depsOf(call)));

export const putOneTenant: AdminHandler = async (call) => {
  const body = await readBody(call, maxTenantBytes);
  return body.ok
    ? answer(call, putTenant(adminOf(call), idOf(call), body.value, depsOf(call)))
    : respondRefusal(call.scope, body.error);
};

export const deleteOneTenant: AdminHandler = (call) =>
  answer(call, deleteTenant(adminOf(call), idOf(call), depsOf(call)));

export const eraseSemanticCache: AdminHandler = (call) =>
  answer(call, eraseSimilar(adminOf(call), namedOwner(call), depsOf(call)));

export const eraseAllKnowledge: AdminHandler = (call) =>
  answer(call, eraseKnowledge(adminOf(call), namedOwner(call), depsOf(call)));

export const eraseAllHistory: AdminHandler = (call) =>
  answer(call, eraseHistory(adminOf(call), namedOwner(call), depsOf(call)));

function adminOf({ principal, tenant }: AdminCall): Admin {
  return { principal, tenant };
}

function idOf({ c }: AdminCall): string {
  return c.req.param("id") ?? "";
}

function namedOwner({ c }: AdminCall): {
  readonly tenant: string | undefined;
  readonly user: string | undefined;
} {
  const { tenant, user } = c.req.query();
  return { tenant, user };
}

function namedKey(call: AdminCall): { readonly tenant: string | undefined; readonly id: string } {
  return { tenant: call.c.req.query("tenant"), id: idOf(call) };
}

/**
 * A body that makes something names its tenant itself; the query of all other routes is heeded, too, since what it means to
 * whoever writes it must not be made for another. Whoever says both must say the same.
 */
async function whose<Body extends { readonly tenant?: string | undefined }>(
  { c }: AdminCall,
  body: Body,
  work: (body: Body) => Promise<AdminResult<object>>,
): Promise<AdminResult<object>> {
  const queried = c.req.query("tenant");
  if (queried === undefined) return work(body);
  if (body.tenant !== undefined && body.tenant !== queried)
    return err(invalidValue("tenant", "is another one in the query"));
  return work({ ...body, tenant: queried });
}

export async function withBody<Schema extends z.ZodType>(
  call: AdminCall,
  schema: Schema,
  work: (body: z.infer<Schema>, admin: Admin, deps: TenantDeps) => Promise<AdminResult<object>>,
): Promise<Response> {
  const body = await readBody(call, maxBodyBytes);
  if (!body.ok) return respondRefusal(call.scope, body.error);
  const parsed = schema.safeParse(body.value);
  if (!parsed.success)
    return respondRefusal(call.scope, refusalOfIssues(parsed.error.issues, [], body.value));
  return answer(call, work(parsed.data, adminOf(call), depsOf(call)));
}

async function withPage(
  call: AdminCall,
  work: (
    range: { readonly tenant: string | undefined; readonly after: string | null; readonly limit: number },
    admin: Admin,
    deps: TenantDeps,
  ) => Promise<AdminResult<object>>,
): Promise<Response> {
  const { tenant, after = null, limit = String(page.usual) } = call.c.req.query();
  const count = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > page.most)
    return respondRefusal(call.scope, invalidValue("limit", `must be from 1 to ${page.most}`));
  return answer(call, work({ tenant, after, limit: count }, adminOf(call), depsOf(call)));
}

async function answer({ scope }: AdminCall, work: Promise<AdminResult<object>>): Promise<Response> {
  const result = await work;
  return result.ok ? respondJson(scope, result.value) : respondRefusal(scope, result.error);
}

/** No body at all is an empty object: every field may have a default. */
async function readBody({ c }: AdminCall, maxBytes: number): Promise<Result<unknown, Refusal>> {
  if (c.req.raw.body === null) return ok({});
  const text = await readJsonText(c.req.raw, maxBytes);
  return text.ok ? parseJson(text.value) : text;
}

function depsOf({ isolate }: AdminCall): TenantDeps {
  const { env, hash, now } = isolate;
  return {
    hash,
    now,
    environment: env.ENVIRONMENT,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    readConfig: (key) => reached(configuration, async () => env.CONFIG.get(key)),
    ledger: (target) =>
      witnessed(target, auditLedger(env.AUDIT_LOG, ownerOf(target), env.ENVIRONMENT), isolate),
    async revokeOwner(target, scope, id) {
      const name = bucketName(target.log, scope, id);
      const { jurisdiction } = ownerOf(target);
      const stub = bucketStub(env.TOKEN_BUCKET, { name, jurisdiction }, env.ENVIRONMENT === "production");
      const revoked = await reached("bucket", async () =>
        stub.revoke({ version: 1, what: "everything-issued-before-now" }),
      );
      return revoked.revokedAtMs;
    },
    async eraseSimilar({ id: tenant, jurisdiction }, user, throughMs) {
      const erasure = semanticErasure(env);
      return reached("semantic index", async () => {
        if (user === null) return erasure.eraseTenant(tenant, jurisdiction, throughMs);
        await erasure.eraseUser({ tenant, user, jurisdiction }, await askedBy(hash, tenant, user), throughMs);
        return 0;
      });
    },
    claims: tenantClaims(env, isolate.report),
    eraseKnowledge: ({ id: tenant, jurisdiction }, user, closedUntilMs) =>
      reached("library", () => eraseLibrary(env, { tenant, user, jurisdiction }, closedUntilMs)),
    eraseHistory: (tenant, user, erasure) =>
      reached("history", () => eraseOwnersHistory(env, isolate.archive, tenant, user, erasure)),
    writeConfig: (put, remove) =>
      reached(configuration, async () => {
        for (const { key, value } of put) await env.CONFIG.put(key, value);
        for (const key of remove) await env.CONFIG.delete(key);
      }),
    async listTenants(cursor, limit) {
      try {
        const listed = await env.CONFIG.list({ prefix: tenantPrefix, limit, cursor });
        const ids = listed.keys.map(({ name }) => tenantIdOfKey(name));
        return { ids, next: listed.list_complete ? null : listed.cursor };
      } catch (error) {
        // KV's way to say that it never gave out this cursor.
        if (cursor !== null && /\b400\b/.test(String(error))) return null;
        throw new Unreachable(configuration, error);
      }
    },
  };
}

const configuration = "configuration";

function ownerOf({ log, tenant }: LedgerPlace): {
  readonly log: string;
  readonly jurisdiction: "none" | "eu";
} {
  return { log, jurisdiction: tenant?.jurisdiction ?? "none" };
}

/** Each entry's hash also goes to this Worker's log, where the one who can shorten an audit log can't reach. */
function witnessed({ log }: LedgerPlace, ledger: Ledger, { witness }: AdminCall["isolate"]): Ledger {
  return {
    ...ledger,
    async change(actor, command) {
      const outcome = await ledger.change(actor, command);
      if (outcome.result === "changed" && outcome.entry !== null) {
        const { sequence, action, hash } = outcome.entry;
        witness({ event: "audit", log, sequence, action, hash });
      }
      return outcome;
    },
  };
}
