import { describe, expect, test } from "vitest";
import { parseOriginSigningKey, signingTransport } from "./origin-signing.ts";
import { SignatureKeys } from "./signature-key.ts";
import { signingPolicySchema } from "./signing-policy.ts";
import { received } from "./signing-fixture.ts";
import { verifyRequest } from "./verify-request.ts";

const nowMs = 1_790_000_000_000;

function base64url(bytes: ArrayBufferLike): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

async function sent(text: string, url: string, init: RequestInit): Promise<Headers> {
  const key = parseOriginSigningKey(text);
  if (!key.ok) throw new Error(key.error);
  let seen = new Headers();
  const transport = signingTransport(
    async (_, given) => {
      seen = new Headers(given.headers);
      return new Response();
    },
    { key: key.value, now: () => nowMs, newNonce: () => crypto.randomUUID() },
  );
  await transport(url, init);
  return seen;
}

const url = "https://gpu-1.example.com/v1/chat/completions";
const init = { method: "POST", body: '{"model":"llama"}', headers: { "content-type": "application/json" } };

function verify(headers: Headers, keys: readonly object[], secret?: string) {
  return verifyRequest(
    received({ method: init.method, url, body: init.body }, Object.fromEntries(headers)),
    signingPolicySchema.parse({ policy: "required", keys }),
    (key) => new SignatureKeys(() => secret).get(key),
    nowMs,
  );
}

test("an origin verifies what the edge sends, with a shared secret", async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const headers = await sent(
    `hmac-sha256:edge:${base64url(new TextEncoder().encode(secret).buffer)}`,
    url,
    init,
  );
  expect(headers.get("content-type")).toBe("application/json");
  expect(
    await verify(headers, [{ id: "edge", algorithm: "hmac-sha256", secret: "S" }], secret),
  ).toMatchObject({ ok: true });
});

test("an origin verifies what the edge sends, with the edge's public key", async () => {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const key = `ed25519:edge:${base64url((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer)}`;
  const { x } = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as JsonWebKey;
  const headers = await sent(key, url, init);
  expect(await verify(headers, [{ id: "edge", algorithm: "ed25519", public_key: x }])).toMatchObject({
    ok: true,
  });
});

test("polls are signed like generations", async () => {
  const headers = await sent(`hmac-sha256:edge:${"A".repeat(44)}`, "http://10.0.0.1:8000/metrics", {});
  expect(headers.get("signature-input")).toContain('"@method"');
});

describe("a key that can't be right is refused at the start", () => {
  test.each([
    "",
    "edge",
    "rsa:edge:AAAA",
    "hmac-sha256:edge:AAAA",
    "ed25519:a b:AAAA",
    `hmac-sha256::${"A".repeat(44)}`,
    // A secret that lost its last characters when it was pasted: atob throws at a length that base64 can't have.
    `hmac-sha256:edge:${"A".repeat(45)}`,
  ])("%j", (text) => {
    expect(parseOriginSigningKey(text).ok).toBe(false);
  });
});
