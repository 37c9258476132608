/** Do the buckets hold exactly what was delivered, whatever clients and engines do? */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createSign, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import { tenantEntries, parseTenantConfig } from "../../../src/shared/tenancy/tenant-entries.ts";
import { dataOf, tokenFor, unique, until } from "../callers.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

describe("50 streams at once, of which every second is cut by its client", () => {
  let world: ServeWorld;
  beforeAll(async () => {
    world = await startServeWorld({ fleet: { tokenMs: 4, ttftMs: 20 } });
  });
  afterAll(() => world.stop());

  test("used is what was delivered, and nothing stays reserved", async () => {
    const token = await tokenFor();
    const before = world.log.length;
    const words = { model: "auto", messages: [{ role: "user", content: "Write 120 words" }], stream: true };
    const whole = Array.from({ length: 25 }, async () => {
      const response = await world.post(token, { ...words, stream_options: { include_usage: true } });
      const events = dataOf(await response.text());
      expect(events.at(-1)).toBe("[DONE]");
      return (JSON.parse(events.at(-2) ?? "") as { usage: { total_tokens: number } }).usage.total_tokens;
    });
    const cut = Array.from({ length: 25 }, async (_, at) => {
      const requestId = unique("req");
      const client = world.vanishing(token, words, requestId);
      // Some before the first byte, the others at many places of the answer.
      if (at % 5 === 0) await until(async () => world.received(requestId).length > 0);
      else {
        await client.sees('"finish_reason":null');
        await until(async () => client.text().split('"content":').length > at * 3);
      }
      client.vanish();
      const seen = Math.max(0, client.text().split('"content":"').length - 2);
      // More than one where the first replica was late, and a second was quicker.
      const records = await until(async () => {
        const all = world.received(requestId);
        return all.length > 0 && all.every(({ state }) => state !== "running") && all;
      });
      const most = (count: (record: (typeof records)[number]) => number) => Math.max(...records.map(count));
      return {
        seen,
        prompt: most(({ prompt_tokens: tokens }) => tokens),
        generated: most(({ generated_tokens: tokens }) => tokens),
      };
    });
    const wholeTokens = (await Promise.all(whole)).reduce((sum, tokens) => sum + tokens, 0);
    const cuts = await Promise.all(cut);
    const least = cuts.reduce((sum, { seen, prompt }) => sum + (seen > 0 ? seen + prompt : 0), 0);
    const most = cuts.reduce(
      (sum, { generated, prompt }) => sum + (generated > 0 ? generated + prompt : 0),
      0,
    );
    const records = await until(async () => {
      const lines = world.log.slice(before).filter(({ endpoint }) => endpoint === "/v1/chat/completions");
      return lines.length === 50 && lines;
    });
    const logged = records.reduce(
      (sum, line) => sum + Number(line["promptTokens"] ?? 0) + Number(line["completionTokens"] ?? 0),
      0,
    );
    const { used, unsettled } = await until(async () => {
      const standing = await world.usageOf(token);
      return standing.reserved.tokens === 0 && standing.used.tokens > 0 && standing;
    });
    expect(unsettled).toMatchObject({ requests: 0, tokens: 0 });
    expect(used.tokens).toBe(logged);
    expect(used.tokens).toBeGreaterThanOrEqual(wholeTokens + least);
    expect(used.tokens).toBeLessThanOrEqual(wholeTokens + most);
  });
});

describe("with a tenant whose keys are fetched", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const issuer = "https://issuer.example";
  let world: ServeWorld;
  let keys: Server;
  let asked = 0;

  beforeAll(async () => {
    keys = createServer((_, response) => {
      asked += 1;
      // Long enough for the client that began it to be gone.
      setTimeout(() => {
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({
            keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }],
          }),
        );
      }, 500);
    });
    keys.listen(0, "127.0.0.1");
    await once(keys, "listening");
    const tenant = parseTenantConfig(
      JSON.stringify({
        ...demo,
        id: "fetched",
        issuers: [
          {
            issuer,
            audience: "edgewise",
            algorithms: ["RS256"],
            keys: { type: "jwks_url", url: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/` },
            grants: { tiers: ["pro"], default_tier: "pro" },
          },
        ],
      }),
    );
    if (!tenant.ok) throw new Error(tenant.error);
    const entries = await tenantEntries(tenant.value);
    world = await startServeWorld({
      kvSeeds: { "edgewise-config": Object.fromEntries(entries.map(({ key, value }) => [key, value])) },
    });
  });
  afterAll(async () => {
    await world.stop();
    keys.closeAllConnections();
    keys.close();
  });

  function signed(user: string): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: "edgewise", sub: user, iat: now, exp: now + 600 };
    const text = `${part({ alg: "RS256", typ: "JWT", kid: "k1" })}.${part(claims)}`;
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
  }

  test("work that a request began and others wait for survives that request's reset", async () => {
    const body = { model: "auto", messages: [{ role: "user", content: "Hello" }] };
    // In a cold isolate this one begins to read the tenant, the fleet and the keys.
    const first = world.vanishing(signed("first"), body, unique("req"));
    await until(async () => asked === 1);
    const others = Array.from({ length: 8 }, (_, at) => world.post(signed(`other-${at}`), body));
    setTimeout(() => first.vanish(), 100);
    const startedMs = Date.now();
    const statuses = await Promise.all(others.map(async (response) => (await response).status));
    expect(statuses).toEqual(others.map(() => 200));
    expect(asked).toBeLessThanOrEqual(3);
    // Far from any time limit of those who wait.
    expect(Date.now() - startedMs).toBeLessThan(10_000);
  });
});
