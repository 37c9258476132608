import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OrgId, UserId } from "../contracts/ids.ts";
import type { Principal } from "../identity/principal.ts";
import { tenantEntries, tenantKey } from "../tenancy/tenant-entries.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { createKeySchema, revocationSchema, rotateKeySchema } from "../wire/admin-requests.ts";
import type { Admin, AdminDeps, AdminResult } from "./admin.ts";
import { auditPage } from "./audit-page.ts";
import { createKey, listKeys, revokeKey, rotateKey, showKey } from "./key-changes.ts";
import type { Ledger } from "./ledger.ts";
import { memoryClaims } from "./memory-claims-fixture.ts";
import { memoryLedger } from "./memory-ledger-fixture.ts";
import { revokeOwner } from "./revoke-owner.ts";
import { showTenant, type TenantDeps } from "./tenant-changes.ts";
import { tenantOf } from "./tenant-world-fixture.ts";

/**
 * What one tenant's admin sees is a function of what it did, and of nothing that another one does: the same operations of B
 * give the same answers, word for word, whether A is busy beside it, with B's ids in hand, or not there at all.
 */
const hash = new KeyedHash("edgewise-secret-edgewise-secret-edgewise");
const startMs = 1_790_000_000_000;
const ceiling = { keys: { tiers: ["pro"], scopes: ["reports"] } };

function adminOf(tenant: TenantConfig): Admin {
  const principal: Principal = {
    tenant: tenant.id,
    org: tenant.id as string as OrgId,
    user: "root" as UserId,
    tier: "pro",
    scopes: new Set(["tenant:admin"]),
    proof: "jwt",
    expiresAtMs: startMs * 2,
    issuedAtMs: 0,
    key: null,
  };
  return { principal, tenant };
}

interface World {
  readonly a: Admin;
  readonly b: Admin;
  readonly deps: (whose: "a" | "b", step: number) => TenantDeps;
  readonly revocations: string[];
}

async function worldOf(): Promise<World> {
  const [a, b] = [tenantOf("alpha", ceiling), tenantOf("beta", ceiling)];
  const config = new Map<string, string>();
  for (const tenant of [a, b])
    for (const { key, value } of await tenantEntries(tenant)) config.set(key, value);
  expect(config.has(tenantKey("alpha"))).toBe(true);
  const ledgers = new Map<string, Ledger>();
  const revocations: string[] = [];
  let now = startMs;
  const deps = (whose: "a" | "b", step: number): TenantDeps => {
    // Time and chance are B's own: the same at its same step, whoever else is there.
    now = startMs + step * 1_000;
    let drawn = 0;
    const ledger: AdminDeps["ledger"] = ({ log }) => {
      const found = ledgers.get(log) ?? memoryLedger(log, hash, () => now);
      ledgers.set(log, found);
      return found;
    };
    return {
      hash,
      environment: "production",
      now: () => now,
      random: (length) =>
        Uint8Array.from(
          { length },
          (_, at) => (step * 31 + at * 7 + (drawn += 1) + (whose === "a" ? 101 : 0)) & 255,
        ),
      readConfig: async (key) => config.get(key) ?? null,
      ledger,
      revokeOwner: async ({ log }, scope, id) => {
        revocations.push(`${log}/${scope}/${id}`);
        return now;
      },
      eraseSimilar: async () => 0,
      eraseKnowledge: async () => 0,
      eraseHistory: async () => 0,
      claims: memoryClaims(),
      writeConfig: async () => undefined,
      listTenants: async () => ({ ids: [], next: null }),
    };
  };
  return { a: adminOf(a), b: adminOf(b), deps, revocations };
}

interface Step {
  readonly whose: "a" | "b";
  readonly action: "create" | "list" | "show" | "rotate" | "revoke" | "audit" | "revoke-user" | "show-tenant";
  /** Which of all keys ever made, by anybody. */
  readonly pick: number;
  readonly named: "nobody" | "alpha" | "beta" | "platform" | "ghost";
}

const step: fc.Arbitrary<Step> = fc.record({
  whose: fc.constantFrom("a", "b"),
  action: fc.constantFrom(
    "create",
    "create",
    "list",
    "show",
    "rotate",
    "revoke",
    "audit",
    "revoke-user",
    "show-tenant",
  ),
  pick: fc.nat({ max: 50 }),
  named: fc.constantFrom("nobody", "nobody", "alpha", "beta", "platform", "ghost"),
});

/** What B was answered, step by step; A's steps are left out where `alone`. */
async function viewOfB(steps: readonly Step[], alone: boolean): Promise<readonly string[]> {
  const world = await worldOf();
  const idsOf = { a: [] as string[], b: [] as string[] };
  const view: string[] = [];
  for (const [at, one] of steps.entries()) {
    if (alone && one.whose === "a") continue;
    const answer = await run(world, one, at, idsOf);
    const made = answer.ok ? (answer.value as { id?: string; value?: string }) : {};
    if (made.id !== undefined && made.value !== undefined) idsOf[one.whose].push(made.id);
    if (one.whose === "b") view.push(JSON.stringify(answer));
  }
  return view;
}

function run(
  { a, b, deps }: World,
  { whose, action, pick, named }: Step,
  at: number,
  idsOf: { readonly a: readonly string[]; readonly b: readonly string[] },
): Promise<AdminResult<object>> {
  const admin = whose === "a" ? a : b;
  const own = deps(whose, at);
  const tenant = named === "nobody" ? undefined : named;
  // A goes for B's keys; B picks among its own, and such that nobody has.
  const known = whose === "a" ? idsOf.b : idsOf.b.concat("0000000000000000");
  const id = known[pick % Math.max(1, known.length)] ?? "zzzzzzzzzzzzzzzz";
  const page = { tenant, after: pick % 3 === 0 ? id : null, limit: 1 + (pick % 5) };
  switch (action) {
    case "create": {
      const body = { name: `k${pick}`, scopes: pick % 4 === 0 ? ["billing"] : ["reports"], tenant };
      return createKey(admin, createKeySchema.parse(body), own);
    }
    case "list":
      return listKeys(admin, page, own);
    case "show":
      return showKey(admin, { tenant, id }, own);
    case "rotate":
      return rotateKey(
        admin,
        { tenant, id },
        rotateKeySchema.parse({ grace_seconds: pick % 2 === 0 ? 0 : 600 }),
        own,
      );
    case "revoke":
      return revokeKey(admin, { tenant, id }, own);
    case "audit":
      return auditPage(admin, { ...page, after: pick % 3 === 0 ? String(pick + 1) : null }, own);
    case "revoke-user":
      return revokeOwner(admin, revocationSchema.parse({ user: `user-${pick}`, tenant }), own);
    case "show-tenant":
      return showTenant(admin, tenant ?? "beta", own);
  }
}

test("over 12,000 random operations, B's view is a function of B's operations alone", async () => {
  let operations = 0;
  let answeredWell = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 60 }), async (steps) => {
      operations += steps.length;
      const beside = await viewOfB(steps, false);
      expect(beside).toEqual(await viewOfB(steps, true));
      answeredWell += beside.filter((answer) => answer.startsWith('{"ok":true')).length;
    }),
    { numRuns: 200 },
  );
  expect(operations).toBeGreaterThanOrEqual(10_000);
  // Otherwise it would have proved little.
  expect(answeredWell).toBeGreaterThan(operations / 10);
});

test("whatever A names, B's users are never revoked by A", async () => {
  const world = await worldOf();
  const all: Step[] = (["nobody", "alpha", "beta", "platform", "ghost"] as const).map((named) => ({
    whose: "a",
    action: "revoke-user",
    pick: 1,
    named,
  }));
  for (const [at, one] of all.entries()) await run(world, one, at, { a: [], b: [] });
  expect(world.revocations).toEqual(["alpha/user/user-1", "alpha/user/user-1"]);
});
