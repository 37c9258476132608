import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { requestLimits } from "../../src/shared/wire/request-limits.ts";
import { tenantEntries } from "../../src/shared/tenancy/tenant-entries.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { hmac, base64url } from "../../src/shared/identity/identity-fixture.ts";

/** The edge Worker as it ships, with tenants of different firewalls in its KV. */
const page = "https://app.walls.example";

function tenant(id: string, parts: object): object {
  return {
    id,
    issuers: [
      {
        issuer: `https://${id}.example/`,
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "DEMO_JWT_SECRET" },
      },
    ],
    ...parts,
  };
}

const tenants = [
  tenant("open", { hosts: ["open.test"] }),
  tenant("walls", {
    hosts: ["walls.test"],
    cors: { origins: [page] },
    firewall: {
      rules: [
        { name: "office", action: "allow", ip: ["192.0.2.0/24", "2001:db8::/32"] },
        { name: "nobody-else", action: "deny" },
      ],
    },
  }),
];

beforeAll(async () => {
  for (const one of tenants)
    for (const { key, value } of await tenantEntries(tenantConfigSchema.parse(one)))
      await env.CONFIG.put(key, value);
});

async function tokenOf(id: string): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `https://${id}.example/`,
    aud: "edgewise",
    sub: "alice",
    iat: seconds,
    exp: seconds + 600,
  };
  const body = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${body}.${base64url(await hmac(body, env.DEMO_JWT_SECRET ?? ""))}`;
}

async function call(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await exports.default.fetch(`https://shared.test${path}`, {
    ...init,
    headers: { host: "shared.test", ...headers },
  });
  const text = await response.text();
  const code = /"code":"(\w+)"/.exec(text)?.[1];
  return { status: response.status, code, headers: response.headers, text };
}

async function callAs(id: string, headers: Record<string, string> = {}, path = "/v1/models") {
  return call(path, { authorization: `Bearer ${await tokenOf(id)}`, ...headers });
}

describe("before anybody asks who is calling", () => {
  test.each([
    ["an attack in the query", "/v1/models?id=1'%20or%20'1'='1", {}, 403, "request_blocked"],
    ["an attack in the path", "/v1/models/%3Cscript%3Ealert(1)", {}, 403, "request_blocked"],
    [
      "an attack in a header",
      "/v1/models",
      { "user-agent": "() { :; }; /bin/bash -i" },
      403,
      "request_blocked",
    ],
    [
      "an attack in a header that nobody reads",
      "/v1/models",
      { "x-api-version": "${jndi:ldap://a/b}" },
      403,
      "request_blocked",
    ],
    ["a path encoded twice", "/v1/models/%2576", {}, 400, "invalid_url"],
    ["a NUL", "/v1/models/a%00", {}, 400, "invalid_url"],
    ["an encoded slash", "/v1%2Fmodels", {}, 400, "invalid_url"],
    ["a long URL", `/v1/models?after=${"a".repeat(requestLimits.urlCharacters)}`, {}, 414, "url_too_long"],
    [
      "long headers",
      "/v1/models",
      { "x-long": "a".repeat(requestLimits.headerCharacters) },
      431,
      "headers_too_large",
    ],
    ["a page that nobody serves", "/.env", {}, 403, "request_blocked"],
  ])("%s is refused", async (_, path, headers, status, code) => {
    expect(await call(path, headers)).toMatchObject({ status, code });
  });

  test("many headers are refused", async () => {
    const headers = Object.fromEntries(
      Array.from({ length: requestLimits.headers + 1 }, (_, at) => [`x-${at}`, "1"]),
    );
    expect(await call("/v1/models", headers)).toMatchObject({ status: 431 });
  });

  test("a rule's name is not told", async () => {
    expect((await call("/v1/models?id=1'%20or%20'1'='1")).text).not.toMatch(/942|condition/);
  });

  test("code in a prompt passes", async () => {
    const prompt =
      "Why does <script>alert(1)</script> or ' OR 1=1; DROP TABLE users -- or ../../etc/passwd harm?";
    const response = await call(
      "/v1/chat/completions",
      { authorization: `Bearer ${await tokenOf("open")}`, "content-type": "application/json" },
      {
        method: "POST",
        body: JSON.stringify({ model: "no-such-model", messages: [{ role: "user", content: prompt }] }),
      },
    );
    expect(response).toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("a body over its bytes", () => {
  const size = requestLimits.bodyBytes + 1;
  const json = { "content-type": "application/json" };

  test("is refused by its declared length", async () => {
    const headers = { authorization: `Bearer ${await tokenOf("open")}`, ...json };
    const answer = await call("/v1/chat/completions", headers, { method: "POST", body: "a".repeat(size) });
    expect(answer).toMatchObject({ status: 413, code: "request_too_large" });
  });

  test("is refused at the byte that is too many, where none is declared", async () => {
    const headers = { authorization: `Bearer ${await tokenOf("open")}`, ...json };
    const chunk = new Uint8Array(65_536).fill(97);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.byteLength;
        controller.enqueue(chunk);
      },
    });
    const answer = await call("/v1/chat/completions", headers, { method: "POST", body });
    expect(answer).toMatchObject({ status: 413, code: "request_too_large" });
    expect(sent).toBeLessThan(size * 2);
  });
});

describe("a tenant's rules", () => {
  test.each([
    ["its own network", { "cf-connecting-ip": "192.0.2.77" }, 200],
    ["the same in IPv6's spelling", { "cf-connecting-ip": "::ffff:192.0.2.77" }, 200],
    ["its IPv6 network", { "cf-connecting-ip": "2001:db8::1" }, 200],
    ["another network", { "cf-connecting-ip": "198.51.100.1" }, 403],
    ["no address", {}, 403],
  ])("%s: %s", async (_, headers, status) => {
    expect(await callAs("walls", headers)).toMatchObject({ status });
  });

  test("are not another tenant's", async () => {
    expect(await callAs("open", { "cf-connecting-ip": "198.51.100.1" })).toMatchObject({ status: 200 });
  });
});

describe("a page of another origin", () => {
  const inside = { "cf-connecting-ip": "192.0.2.77" };
  const asked = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,x-stainless-os",
  };

  test("that the tenant lists may read its answers", async () => {
    const { headers } = await callAs("walls", { ...inside, origin: page });
    expect(headers.get("access-control-allow-origin")).toBe(page);
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    expect(headers.get("vary")).toContain("Origin");
  });

  test("that it does not list may not", async () => {
    const { status, headers } = await callAs("walls", { ...inside, origin: "https://evil.example" });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });

  test("may ask on a shared hostname, without a credential", async () => {
    const { status, headers } = await call(
      "/v1/chat/completions",
      { origin: "https://any.example", ...asked },
      { method: "OPTIONS" },
    );
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("https://any.example");
    expect(headers.get("access-control-allow-headers")).toBe("authorization,x-stainless-os");
  });

  test("may ask on a tenant's hostname only where the tenant lists it", async () => {
    const ask = (origin: string) =>
      call("/v1/models", { host: "walls.test", origin, ...asked }, { method: "OPTIONS" });
    expect(await ask(page)).toMatchObject({ status: 204 });
    expect(await ask("https://evil.example")).toMatchObject({ status: 405 });
  });

  test("reads why its credential was refused, where no tenant is known", async () => {
    const { status, headers } = await call("/v1/models", { origin: "https://any.example" });
    expect([status, headers.get("access-control-allow-origin")]).toEqual([401, "https://any.example"]);
  });
});

test("OPTIONS without a preflight is a method that the URL does not take", async () => {
  expect(await call("/v1/models", {}, { method: "OPTIONS" })).toMatchObject({ status: 405 });
});

test("the platform's document in KV is parsed with its defaults", async () => {
  const { parsePlatformFirewall } = await import("../../src/shared/firewall/policy-source.ts");
  expect(parsePlatformFirewall('{"injection":"log"}')).toMatchObject({
    ok: true,
    value: { injection: "log", rules: [] },
  });
  expect(parsePlatformFirewall('{"injections":"log"}')).toMatchObject({ ok: false });
});
