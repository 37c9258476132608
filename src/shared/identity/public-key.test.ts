import { exportJWK } from "jose/key/export";
import { generateKeyPair } from "jose/key/generate/keypair";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { base64url, signWithKey } from "./identity-fixture.ts";
import { KeySet } from "./key-set.ts";
import { decodedBytes, isBase64url, publicKeyFault, tokenAlgorithms } from "./public-key.ts";
import { verifiedPayload } from "./signature.ts";

const publicAlgorithms = tokenAlgorithms.filter((algorithm) => algorithm !== "HS256");

describe.each(publicAlgorithms)("%s", (algorithm) => {
  test("verifies by a key of its own kind, under no other algorithm, and no changed byte", async () => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = await exportJWK(publicKey);
    const set = new KeySet([jwk]);
    const finding = await set.find(undefined, algorithm);
    if (finding.result !== "found") throw new Error(finding.result);
    const token = await signWithKey(privateKey, { alg: algorithm }, { sub: "alice" });
    expect(new TextDecoder().decode((await verifiedPayload(token, finding.key)) ?? undefined)).toBe(
      '{"sub":"alice"}',
    );

    const flipped = token.replace(/\.(.)/, (_all, first: string) => `.${first === "e" ? "f" : "e"}`);
    expect(await verifiedPayload(flipped, finding.key)).toBeNull();
    for (const other of publicAlgorithms) {
      const fault = publicKeyFault(jwk, other);
      const sameKind = other.slice(0, 2) === algorithm.slice(0, 2) || /^[RP]S/.test(other + algorithm);
      if (other !== algorithm && (!sameKind || other.startsWith("ES"))) expect(fault).not.toBeNull();
      // The header can't choose: it must equal the configured one.
      if (other !== algorithm)
        expect(await verifiedPayload(token, { algorithm: other, key: finding.key.key })).toBeNull();
    }
  });
});

const bytes = (length: number, last = 1) => {
  const filled = new Uint8Array(length).fill(0xa5);
  filled[length - 1] = last;
  return base64url(filled);
};
const rsa = { kty: "RSA", n: bytes(256), e: "AQAB" };
const curve = { kty: "EC", crv: "P-256", x: bytes(32), y: bytes(32) };
const edwards = { kty: "OKP", crv: "Ed25519", x: bytes(32) };

describe("a key is refused when", () => {
  test.each([
    ["the modulus has 2047 bits", { ...rsa, n: base64url(new Uint8Array(256).fill(0x7f)) }, "RS256", "n"],
    [
      "the modulus is padded with zeros",
      { ...rsa, n: base64url(new Uint8Array(300).fill(1, 100)) },
      "RS256",
      "n",
    ],
    ["the modulus is huge", { ...rsa, n: bytes(1025) }, "PS256", "n"],
    ["the modulus is missing", { kty: "RSA", e: "AQAB" }, "RS256", "n"],
    ["the exponent is 1", { ...rsa, e: "AQ" }, "RS256", "e"],
    ["the exponent is 3", { ...rsa, e: "Aw" }, "RS256", "e"],
    ["the exponent is even", { ...rsa, e: "AQAC" }, "RS256", "e"],
    ["the exponent is endless", { ...rsa, e: bytes(64) }, "RS256", "e"],
    ["it is on another curve", { ...curve, crv: "secp256k1" }, "ES256", "crv"],
    ["a coordinate is short", { ...curve, y: bytes(31) }, "ES256", "y"],
    ["a coordinate is padded", { ...curve, x: `${bytes(32)}=` }, "ES256", "x"],
    ["it is an X25519 key", { ...edwards, crv: "X25519" }, "EdDSA", "crv"],
    ["it is for encryption", { ...rsa, use: "enc" }, "RS256", "use"],
    ["it may only sign", { ...rsa, key_ops: ["sign"] }, "RS256", "key_ops"],
    ["its operations are no list", { ...rsa, key_ops: "verify" }, "RS256", "key_ops"],
    ["it is another algorithm's", { ...rsa, alg: "RS512" }, "RS256", "alg"],
    ["it is for key agreement", { ...curve, alg: "ECDH-ES" }, "ES256", "alg"],
    ["its kid is no text", { ...rsa, kid: 7 }, "RS256", "kid"],
    ["it is an RSA key for an EC algorithm", rsa, "ES256", "kty"],
    ["it is a shared secret", { kty: "oct" }, "HS256", "kty"],
    ["it holds a secret's bytes", { kty: "oct", k: bytes(32) }, "HS256", "k"],
    ["it is private", { ...edwards, d: bytes(32) }, "EdDSA", "d"],
  ] as const)("%s", (_name, jwk, algorithm, member) => {
    expect(publicKeyFault(jwk, algorithm)).toContain(member);
  });
});

test("what a key's owner says that fits is no fault", () => {
  expect(publicKeyFault({ ...rsa, use: "sig", key_ops: ["verify"], alg: "PS384" }, "PS384")).toBeNull();
  expect(publicKeyFault(curve, "ES256")).toBeNull();
  expect(publicKeyFault({ ...edwards, alg: "Ed25519" }, "EdDSA")).toBeNull();
});

test("base64url has one form: what decodes re-encodes to the same text", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ".split("");
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }), (chars) => {
      const text = chars.join("");
      const decoded = decodedBytes(text);
      if (decoded !== null) expect(base64url(decoded)).toBe(text);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (content) => {
      expect(isBase64url(base64url(content))).toBe(true);
      expect(decodedBytes(base64url(content))).toEqual(content);
    }),
  );
});
