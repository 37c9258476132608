/** The Worker as it ships, inside workerd, for tests: requests in, and everything it left running waited for. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import demo from "../../config/tenants/demo.json";
import { parseTenantConfig, tenantEntries } from "../../src/shared/tenancy/tenant-entries.ts";
import worker from "../../workers/edge/index.ts";
import { farFromMidnight } from "./far-from-midnight.ts";

const contexts: ExecutionContext[] = [];

export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  contexts.push(context);
  const request = new Request(`http://edgewise.test${path}`, init) as unknown as Parameters<
    typeof worker.fetch
  >[0];
  return worker.fetch(request, env, context);
}

/** Resolves when nothing that a request began is under way any more. */
export async function settled(): Promise<void> {
  await Promise.all(contexts.splice(0).map((context) => waitOnExecutionContext(context)));
}

/** A tenant like the demo one, with settings of its own; its users' tokens are `bearer(id, user)`. */
export async function putTenant(id: string, settings: object): Promise<void> {
  const [issuer] = demo.issuers;
  const parsed = parseTenantConfig(
    JSON.stringify({
      ...demo,
      id,
      issuers: [{ ...issuer, issuer: issuerOf(id) }],
      time_zone: farFromMidnight(),
      ...settings,
    }),
  );
  if (!parsed.ok) throw new Error(parsed.error);
  for (const { key, value } of await tenantEntries(parsed.value)) await env.CONFIG.put(key, value);
}

function issuerOf(id: string): string {
  return id === "demo" ? (demo.issuers[0]?.issuer ?? "") : `https://${id}.test`;
}

export async function bearer(
  tenant: string,
  user: string,
  claims: object = { tier: "pro" },
): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ iat: seconds, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(issuerOf(tenant))
    .setAudience("edgewise")
    .setSubject(user)
    .setExpirationTime(seconds + 3600)
    .sign(new TextEncoder().encode(env.DEMO_JWT_SECRET ?? ""));
  return `Bearer ${token}`;
}

export function post(
  path: string,
  authorization: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return send(path, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}
