import { exports } from "cloudflare:workers";
import { SignJWT } from "jose/jwt/sign";
import { afterEach, beforeAll, expect, vi } from "vitest";
import { fakeEngine } from "./fake-engine.ts";
import { farFromMidnight } from "./far-from-midnight.ts";

/** What tests of `/admin` stand on: tenants made through the API itself, tokens of the platform's and of theirs. */
export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

export async function ask(
  method: string,
  path: string,
  credential: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await exports.default.fetch(`http://edgewise.test${path}`, {
    method,
    headers: {
      authorization: `Bearer ${credential}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Json) : {} };
}

/** For files of tests in which keys and tokens are used for turns, and time passes. */
export function adminApi(): void {
  beforeAll(() => {
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
      fakeEngine(new Request(input).url, init),
    );
    vi.spyOn(console, "log").mockImplementation(() => undefined);
  });
  afterEach(() => void vi.useRealTimers());
}

/** Only the clock: what waits for timers goes on. */
export function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

export const turn = { model: "auto", messages: [{ role: "user", content: "hello" }] };
export const refusedKey = { status: 401, body: { error: { code: "invalid_api_key" } } };
export const refusedToken = { status: 401, body: { error: { code: "invalid_token" } } };

async function sign(claims: Json, secret: string): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ iat: nowSeconds - 60, exp: nowSeconds + 3600, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

export function platformToken(scope = "platform:admin", sub = "operator"): Promise<string> {
  return sign(
    { iss: "edgewise-platform", aud: "edgewise", sub, scope },
    "tests-platform-secret-0123456789abcdefg",
  );
}

export interface TestTenant {
  readonly id: string;
  readonly config: Json;
  /** A token of this tenant's issuer. */
  readonly token: (claims?: Json) => Promise<string>;
  /** A token with `tenant:admin`. */
  readonly admin: string;
}

export async function newTenant(members: Json = {}): Promise<TestTenant> {
  const id = `t-${crypto.randomUUID()}`;
  const config: Json = {
    id,
    issuers: [
      {
        issuer: `https://id.${id}.test`,
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "DEMO_JWT_SECRET" },
        grants: { tiers: ["free", "pro"], scopes: ["tenant:admin"] },
      },
    ],
    keys: { tiers: ["pro", "enterprise"], scopes: ["tenant:admin", "reports"] },
    time_zone: farFromMidnight(),
    ...members,
  };
  const put = await ask("PUT", `/admin/tenants/${id}`, await platformToken(), config);
  expect(put).toMatchObject({ status: 200, body: { id } });
  const token = (claims: Json = {}): Promise<string> =>
    sign(
      { iss: `https://id.${id}.test`, aud: "edgewise", sub: "alice", ...claims },
      "tests-demo-secret-0123456789abcdefghij",
    );
  return { id, config, token, admin: await token({ sub: "root", scope: "tenant:admin" }) };
}

export async function makeKey(
  credential: string,
  body: Json = {},
): Promise<Json & { id: string; value: string }> {
  const made = await ask("POST", "/admin/keys", credential, { name: "a key", ...body });
  expect(made).toMatchObject({ status: 200, body: { object: "api_key" } });
  return made.body as Json & { id: string; value: string };
}
