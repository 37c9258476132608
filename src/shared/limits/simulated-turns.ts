/** Turns to try the limits with, for tests: a tenant, what a turn asks for, and waiting in simulated time. */
import type { ChargeId, OrgId, UserId } from "../contracts/ids.ts";
import type { Principal } from "../identity/principal.ts";
import { type TenantConfig, tenantConfigSchema } from "../tenancy/tenant-config.ts";
import type { Amounts } from "./bucket-protocol.ts";
import { freeOfCharge, type TokenPrice } from "./cost.ts";
import type { AdmissionRequest, TurnUse } from "./ports.ts";
import type { FakeClock } from "./simulated-world.ts";
import type { Tier } from "./tier.ts";

export function tenantWith(limits: object): TenantConfig {
  return tenantConfigSchema.parse({
    id: "acme",
    issuers: [
      {
        issuer: "https://issuer.test",
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "SECRET" },
      },
    ],
    limits,
  });
}

export function turn(
  tenant: TenantConfig,
  chargeId: string,
  options: {
    user?: string;
    tier?: Tier;
    promptTokens?: number;
    answerTokens?: number;
    issuedAtMs?: number;
    key?: Principal["key"];
    price?: TokenPrice;
  } = {},
): AdmissionRequest {
  return {
    principal: {
      tenant: tenant.id,
      org: "research" as OrgId,
      user: (options.user ?? "alice") as UserId,
      tier: options.tier ?? "free",
      scopes: new Set(),
      proof: "jwt",
      issuedAtMs: options.issuedAtMs ?? 0,
      key: options.key ?? null,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
    tenant,
    chargeId: chargeId as ChargeId,
    promptTokens: options.promptTokens ?? 50,
    answerTokens: options.answerTokens ?? 100,
    choices: 1,
    price: options.price ?? freeOfCharge,
    place: {},
  };
}

/** Resolves what a promise in the simulated world comes to, letting time pass. */
export async function within<T>(clock: FakeClock, promise: Promise<T>, ms = 1_200): Promise<T> {
  const results: T[] = [];
  void promise.then((value) => results.push(value));
  await clock.settleDown();
  for (let passed = 0; results.length === 0 && passed < ms;) {
    await clock.settleDown();
    // Millisecond by millisecond, but for those in which nothing happens.
    const step = Math.max(1, Math.min(ms - passed, Math.ceil(clock.idleMs ?? ms)));
    await clock.advance(step);
    passed += step;
  }
  for (const result of results) return result;
  throw new Error(`nothing came within ${ms} ms`);
}

/** What a turn used, where its model and cost don't matter. */
export function use(tokens: number, requests: 0 | 1 = 1): TurnUse {
  return { tokens, requests, microdollars: 0, model: "m" };
}

export function amounts(requests: number, tokens: number, slots = 0, microdollars = 0): Amounts {
  return { requests, tokens, slots, microdollars };
}
