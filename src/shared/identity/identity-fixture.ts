import { CompactSign } from "jose/jws/compact/sign";
import type { Background } from "../contracts/background.ts";
import type { ConfigStore } from "../tenancy/config-cache.ts";
import { createTenantDirectory } from "../tenancy/tenant-directory.ts";
import { checkTenantConfig, tenantEntries } from "../tenancy/tenant-entries.ts";
import { createIdentify, type IdentifyOptions } from "./identify.ts";
import type { IdentityResult } from "./identity.ts";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { createKeyDirectory } from "./key-directory.ts";
import { platformIssuer } from "./platform-issuer.ts";

/** What identity's tests stand on: two tenants in a fake store, a clock that is set by hand, and tokens of any shape. */
export const startMs = 1_790_000_000_000;
export const nowSeconds = startMs / 1000;

export const secrets: Readonly<Record<string, string>> = {
  DEMO_JWT_SECRET: "demo-secret-0123456789-demo-secret-01234",
  ACME_JWT_SECRET: "acme-secret-acme-secret-acme-secret-acme",
  SHORT_SECRET: "short",
  PLATFORM_JWT_SECRET: "platform-secret-platform-secret-platform",
};

export const acme = {
  id: "acme",
  hosts: ["chat.acme.test"],
  issuers: [
    {
      issuer: "https://id.acme.test",
      audience: "edgewise",
      algorithms: ["HS256"],
      keys: { type: "secret", name: "ACME_JWT_SECRET" },
      grants: { tiers: ["free", "pro"], default_tier: "pro", scopes: ["tenant:admin"] },
    },
  ],
};

export const globex = {
  id: "globex",
  hosts: ["chat.globex.test"],
  issuers: [
    {
      issuer: "https://id.globex.test",
      audience: "edgewise",
      algorithms: ["HS256"],
      keys: { type: "secret", name: "DEMO_JWT_SECRET" },
    },
  ],
};

/** Claims that acme's issuer may make. */
export const goodClaims = {
  iss: "https://id.acme.test",
  aud: "edgewise",
  sub: "alice",
  iat: nowSeconds - 10,
  exp: nowSeconds + 3600,
};

/** What the bench's API keys are hashed with. */
export const keyHash = new KeyedHash("edgewise-secret-edgewise-secret-edgewise");

export function base64url(content: string | Uint8Array): string {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Signs any two texts as header and payload with HS256, valid or not. */
export async function signTexts(
  header: string,
  payload: string,
  secret = secrets["ACME_JWT_SECRET"] ?? "",
): Promise<string> {
  const body = `${base64url(header)}.${base64url(payload)}`;
  return `${body}.${base64url(await hmac(body, secret))}`;
}

export async function hmac(body: string, secret: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(body)));
}

export async function signClaims(
  claims: Readonly<Record<string, unknown>> = goodClaims,
  header: Readonly<Record<string, unknown>> = { alg: "HS256", typ: "JWT" },
  secret?: string,
): Promise<string> {
  return signTexts(JSON.stringify(header), JSON.stringify(claims), secret);
}

/** Signed by a private key, as an identity provider does. */
export async function signWithKey(
  key: CryptoKey,
  header: { readonly alg: string; readonly kid?: string },
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .sign(key);
}

export async function storeOf(tenants: readonly unknown[]): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  for (const tenant of tenants) {
    const checked = checkTenantConfig(tenant);
    if (!checked.ok) throw new Error(checked.error);
    for (const { key, value } of await tenantEntries(checked.value)) entries.set(key, value);
  }
  return entries;
}

export interface Bench {
  readonly identify: (
    token: string | null,
    host?: string,
    address?: string | null,
  ) => Promise<IdentityResult>;
  /** As `identify` itself gives it: a value or a promise. */
  readonly raw: (
    authorization: string | null,
    host?: string,
    address?: string | null,
    waitMs?: number | null,
  ) => IdentityResult | Promise<IdentityResult>;
  readonly advance: (ms: number) => void;
  readonly now: () => number;
  readonly entries: Map<string, string>;
  readonly faults: string[];
  /** What went on in the background, to be waited for. */
  readonly settled: () => Promise<void>;
}

export async function identityBench(
  overrides: Partial<IdentifyOptions> & { readonly tenantConfigs?: readonly unknown[] } = {},
): Promise<Bench> {
  const { tenantConfigs = [acme, globex], ...options } = overrides;
  let time = startMs;
  const now = () => time;
  const entries = await storeOf(tenantConfigs);
  const faults: string[] = [];
  const report = (component: string, detail: string) => void faults.push(`${component}: ${detail}`);
  const store: ConfigStore = { get: async (key) => entries.get(key) ?? null };
  const platform = platformIssuer({ PLATFORM_JWT_SECRET: secrets["PLATFORM_JWT_SECRET"] });
  if (!platform.ok) throw new Error(platform.error);
  const running: Promise<unknown>[] = [];
  const background: Background = { run: (_name, work) => void running.push(work) };
  const identify = createIdentify({
    tenants: createTenantDirectory({ store, now, report }),
    apiKeys: createKeyDirectory({ store, now, report }),
    hash: keyHash,
    platform: platform.value,
    environment: "local",
    secret: (name) => secrets[name],
    fetchKeySet: async () => ({ ok: false, error: "no key set here" }),
    keySetCache: { get: async () => null, put: async () => undefined },
    now,
    report,
    ...options,
  });
  const raw: Bench["raw"] = (authorization, host = "api.edgewise.test", address = null, waitMs = null) =>
    identify(authorization, { host, address: () => address, waitMs: () => waitMs, background });
  return {
    identify: async (token, host, address) => raw(token === null ? null : `Bearer ${token}`, host, address),
    raw,
    advance: (ms) => void (time += ms),
    now,
    entries,
    faults,
    settled: async () => {
      while (running.length > 0) await Promise.all(running.splice(0));
    },
  };
}
