/**
 * Which token does `npm run token` print? One that the tenant's configuration allows its issuer to grant: asking for more is
 * refused here, not by a 401 later. It reads the configuration without the Worker's schema, which would double the time of
 * a frequent command.
 */
import { createHmac, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { platformDefaults } from "../../src/shared/identity/platform-defaults.ts";
import { UsageError } from "./command-line.ts";
import { ensureLocalSecrets, readLocalVariables, root } from "../local-secrets.ts";

export const tokenUsage = `usage: npm run --silent token -- --tenant demo --user alice
         [--org o] [--tier free|pro|enterprise] [--scope "tenant:admin"] [--ttl 1h, at most 30d for demo]
       npm run --silent token -- --platform --scope "platform:admin platform:metrics" [--user name] [--ttl 1h, at most 1d]`;

/** The needed part of a tenant's configuration. The Worker checks all of it; here an invalid one is simply an error. */
interface IssuerPart {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: { readonly type: string; readonly name?: string };
  readonly max_age_seconds?: number;
  readonly grants?: { readonly tiers?: readonly string[]; readonly scopes?: readonly string[] };
  readonly claims?: Readonly<Partial<Record<"user" | "org" | "tier" | "scope", string>>>;
}

export class TokenError extends UsageError {}

export interface TokenRequest {
  readonly user: string;
  readonly org?: string | undefined;
  readonly tier: string;
  readonly scope: string;
  readonly ttlSeconds: number;
}

/** The claims for `issuer`, under the names that its configuration maps. Throws TokenError beyond its grants. */
export function tenantClaims(issuer: IssuerPart, request: TokenRequest): Record<string, unknown> {
  demandLife(request.ttlSeconds, issuer.max_age_seconds ?? usualMostAgeSeconds);
  if (!/^[^\u0000-\u001f\u007f]{1,256}$/.test(request.user))
    throw new TokenError("--user: is not 1 to 256 characters of text");
  if (request.org !== undefined && !/^[\x21-\x7e]{1,128}$/.test(request.org))
    throw new TokenError("--org: is not 1 to 128 visible characters of ASCII");
  const tiers = issuer.grants?.tiers ?? ["free"];
  if (!tiers.includes(request.tier))
    throw new TokenError(`tier ${request.tier} is not among the issuer's grants: ${tiers.join(", ")}`);
  const scopes = issuer.grants?.scopes ?? [];
  for (const scope of request.scope.split(" ").filter(Boolean))
    if (!scopes.includes(scope))
      throw new TokenError(`scope ${scope} is not among the issuer's grants: ${scopes.join(", ") || "none"}`);
  return {
    iss: issuer.issuer,
    aud: issuer.audience,
    [issuer.claims?.user ?? "sub"]: request.user,
    ...(request.org === undefined ? {} : { [issuer.claims?.org ?? "org"]: request.org }),
    [issuer.claims?.tier ?? "tier"]: request.tier,
    ...(request.scope === "" ? {} : { [issuer.claims?.scope ?? "scope"]: request.scope }),
  };
}

/** The default of `issuers[].max_age_seconds`, and what the platform's issuer grants (platform-issuer.ts). */
const usualMostAgeSeconds = 2_592_000;
const platformMostAgeSeconds = 86_400;

function demandLife(ttlSeconds: number, mostSeconds: number): void {
  if (ttlSeconds > mostSeconds)
    throw new TokenError(`--ttl: is longer than this issuer's tokens may live, ${mostSeconds} s`);
}

/** HS256, RFC 7515 section 3.1. */
export function signToken(
  claims: Record<string, unknown>,
  secret: string,
  nowMs: number,
  ttlSeconds: number,
) {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(nowMs / 1000);
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ ...claims, iat, exp: iat + ttlSeconds, jti: randomUUID() })}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function parseTtlSeconds(text: string): number {
  const [, digits = "", unit = ""] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  if (digits === "") throw new TokenError(`--ttl ${text}: is not like 90s, 30m, 1h or 7d`);
  return Number(digits) * (unitSeconds[unit] ?? 1);
}

interface Grant {
  readonly claims: Record<string, unknown>;
  /** The name of the secret that signs them. */
  readonly secret: string;
}

/**
 * Uses the file in config/tenants/ if that grants it. Otherwise KV, which is slower: for other tenants, and for a file that was edited
 * and put there since.
 */
async function grantOf(tenant: string, request: TokenRequest): Promise<Grant> {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(tenant)) throw new TokenError(`--tenant ${tenant}: is no tenant id`);
  const file = `${root}config/tenants/${tenant}.json`;
  let refused = new TokenError(
    `tenant ${tenant} is neither in config/tenants/ nor in the local KV (npm run tenant -- list)`,
  );
  if (existsSync(file))
    try {
      return granted(readFileSync(file, "utf8"), tenant, request);
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      refused = error;
    }
  const { withLocalStore } = await import("./config-store.ts");
  const text = await withLocalStore((store) => store.get(`tenant:${tenant}`));
  if (text === null) throw refused;
  return granted(text, tenant, request);
}

function granted(text: string, tenant: string, request: TokenRequest): Grant {
  const issuer = issuersIn(text, tenant).find(({ keys }) => keys.type === "secret");
  if (issuer === undefined)
    throw new TokenError(`tenant ${tenant} has no issuer with a shared secret: only its own issuer can sign`);
  return { claims: tenantClaims(issuer, request), secret: issuer.keys.name ?? "" };
}

function issuersIn(text: string, tenant: string): readonly IssuerPart[] {
  const broken = new TokenError(`the configuration of tenant ${tenant} is broken: write it anew`);
  try {
    const { issuers } = JSON.parse(text) as { readonly issuers?: readonly IssuerPart[] };
    if (Array.isArray(issuers)) return issuers;
  } catch (error) {
    broken.cause = error;
  }
  throw broken;
}

export async function makeToken(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      tenant: { type: "string" },
      platform: { type: "boolean", default: false },
      user: { type: "string" },
      org: { type: "string" },
      tier: { type: "string" },
      scope: { type: "string", default: "" },
      ttl: { type: "string", default: "1h" },
    },
  });
  const ttlSeconds = parseTtlSeconds(values.ttl);
  ensureLocalSecrets();
  const variables = readLocalVariables();
  const secretNamed = (name: string): string => {
    const secret = variables.get(name);
    if (!secret) throw new TokenError(`secret ${name} is not in .dev.vars`);
    return secret;
  };
  const now = Date.now();
  if (values.platform) {
    for (const name of ["tenant", "org", "tier"] as const)
      if (values[name] !== undefined) throw new TokenError(`--platform and --${name} exclude each other`);
    demandLife(ttlSeconds, platformMostAgeSeconds);
    const wrong = values.scope.split(" ").find((scope) => scope !== "" && !scope.startsWith("platform:"));
    if (wrong !== undefined)
      throw new TokenError(`scope ${wrong}: the platform's issuer grants platform:* alone`);
    const claims = {
      iss: variables.get("PLATFORM_ISSUER") ?? platformDefaults.issuer,
      aud: variables.get("PLATFORM_AUDIENCE") ?? platformDefaults.audience,
      sub: values.user ?? "operator",
      ...(values.scope === "" ? {} : { scope: values.scope }),
    };
    return signToken(claims, secretNamed("PLATFORM_JWT_SECRET"), now, ttlSeconds);
  }
  if (values.tenant === undefined || values.user === undefined)
    throw new TokenError("--tenant and --user are needed, or --platform");
  const { user, org, tier = "pro", scope } = values;
  const { claims, secret } = await grantOf(values.tenant, { user, org, tier, scope, ttlSeconds });
  return signToken(claims, secretNamed(secret), now, ttlSeconds);
}
