/** A tenant's signing keys and a request signed by one of them, for tests in Node and in workerd. */
import { hmacKey } from "./signature-key.ts";
import { signingPolicySchema, type SignatureAlgorithm, type SigningPolicy } from "./signing-policy.ts";
import { signRequest, type SignatureFields, type SigningIdentity } from "./sign-request.ts";
import type { SignedRequest } from "./verify-request.ts";

export const fixtureSecret = "tests-signing-secret-0123456789abcdefgh";

export interface SigningFixture {
  readonly policy: SigningPolicy;
  readonly identities: Readonly<Record<SignatureAlgorithm, SigningIdentity>>;
}

export async function signingFixture(policy: "optional" | "required" = "required"): Promise<SigningFixture> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const { x } = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as JsonWebKey;
  const secret = new TextEncoder().encode(fixtureSecret);
  return {
    policy: signingPolicySchema.parse({
      policy,
      keys: [
        { id: "edge-1", algorithm: "ed25519", public_key: x },
        { id: "shared-1", algorithm: "hmac-sha256", secret: "SIGNING_TEST_SECRET" },
      ],
    }),
    identities: {
      ed25519: { keyId: "edge-1", algorithm: "ed25519", key: pair.privateKey },
      "hmac-sha256": { keyId: "shared-1", algorithm: "hmac-sha256", key: await hmacKey(secret, "sign") },
    },
  };
}

export interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly covered?: Readonly<Record<string, string>>;
}

export function signPlain(
  { method, url, body, covered }: PlainRequest,
  identity: SigningIdentity,
  nowMs: number,
  nonce: string = crypto.randomUUID(),
): Promise<SignatureFields> {
  const bytes = new TextEncoder().encode(body);
  return signRequest({ method, url, body: bytes, ...(covered === undefined ? {} : { covered }) }, identity, {
    nowMs,
    nonce,
  });
}

export function received(
  { method, url, body }: PlainRequest,
  fields: Readonly<Record<string, string>>,
): SignedRequest {
  return {
    method,
    url,
    field: (name) => fields[name] ?? null,
    body: async () => new TextEncoder().encode(body),
  };
}
