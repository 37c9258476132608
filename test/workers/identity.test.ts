import { exportJWK } from "jose/key/export";
import { generateKeyPair } from "jose/key/generate/keypair";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { hostileTokens } from "../../src/shared/identity/hostile-tokens-fixture.ts";
import {
  goodClaims,
  identityBench,
  signClaims,
  signWithKey,
} from "../../src/shared/identity/identity-fixture.ts";
import { keySetCache, keySetFetcher } from "../../src/shared/identity/key-set-fetch.ts";
import { KeySet } from "../../src/shared/identity/key-set.ts";
import { tokenAlgorithms } from "../../src/shared/identity/public-key.ts";
import { verifiedPayload } from "../../src/shared/identity/signature.ts";
import { configStore } from "../../workers/edge/seed.ts";

/** What Node can't show: workerd has other crypto, other streams, a real KV and a real Cache API. */
const hostile = await hostileTokens();

describe("inside workerd, refused as an invalid credential", () => {
  test.each([...hostile])("%s", async (_name, token) => {
    const bench = await identityBench();
    expect(await bench.identify(token)).toMatchObject({ error: { kind: "credential-invalid" } });
    expect(bench.faults).toEqual([]);
  });
});

test("inside workerd a good token is identified, then remembered", async () => {
  const bench = await identityBench();
  const token = await signClaims();
  const first = await bench.identify(token);
  expect(first).toMatchObject({ ok: true, value: { principal: { user: "alice", tenant: "acme" } } });
  expect(bench.raw(`Bearer ${token}`)).toBe(first);
});

test.each(tokenAlgorithms.filter((algorithm) => algorithm !== "HS256"))(
  "inside workerd %s verifies, and no changed signature does",
  async (algorithm) => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const finding = await new KeySet([await exportJWK(publicKey)]).find(undefined, algorithm);
    if (finding.result !== "found") throw new Error(finding.result);
    const token = await signWithKey(privateKey, { alg: algorithm }, goodClaims);
    expect(await verifiedPayload(token, finding.key)).not.toBeNull();
    const [header, payload, signature = ""] = token.split(".");
    const changed = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
    expect(await verifiedPayload(`${header}.${payload}.${changed}`, finding.key)).toBeNull();
    expect(await verifiedPayload(`${header}.${payload}.AAAA`, finding.key)).toBeNull();
  },
);

test("inside workerd a point off its curve is refused, not thrown", async () => {
  const { publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const finding = await new KeySet([{ ...jwk, x: jwk.y }]).find(undefined, "ES256");
  expect(finding.result).toBe("unusable");
});

test("the demo tenant is in KV after the first read", async () => {
  const store = configStore(env);
  expect(JSON.parse((await store.get("tenant:demo")) ?? "{}")).toMatchObject({ id: "demo" });
  expect(await env.CONFIG.get("meta:seeded")).toBe("1");
});

test("a key set goes through the real Cache API and back", async () => {
  const sets = keySetCache(caches.default);
  expect(await sets.get("https://id.test/keys")).toBeNull();
  await sets.put("https://id.test/keys", { text: '{"keys":[]}', fetchedAtMs: 1_790_000_000_000 });
  expect(await sets.get("https://id.test/keys")).toEqual({
    text: '{"keys":[]}',
    fetchedAtMs: 1_790_000_000_000,
  });
});

test("an endless key set is cut off with workerd's streams", async () => {
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
  });
  const fetch = keySetFetcher(async () => new Response(endless));
  expect(await fetch("https://id.test/keys")).toMatchObject({ ok: false });
});
