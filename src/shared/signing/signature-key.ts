/** A configured key, ready for WebCrypto; imported once and remembered as a value, never as a promise of some request. */
import type { SignatureAlgorithm, SigningKey } from "./signing-policy.ts";
import { minSecretBytes } from "./signing-policy.ts";

export interface ReadyKey {
  readonly algorithm: SignatureAlgorithm;
  readonly key: CryptoKey;
}

export type SecretByName = (name: string) => string | undefined;

export class SignatureKeys {
  readonly #secret: SecretByName;
  /** By the configuration's own object: a changed configuration is another object, and forgets its keys. */
  readonly #ready = new WeakMap<SigningKey, ReadyKey>();

  constructor(secret: SecretByName) {
    this.#secret = secret;
  }

  /** Null: the secret is not there, is too short, or the public key is no point of the curve. */
  async get(configured: SigningKey): Promise<ReadyKey | null> {
    const known = this.#ready.get(configured);
    if (known !== undefined) return known;
    const key = await this.#import(configured);
    if (key === null) return null;
    const ready = { algorithm: configured.algorithm, key };
    this.#ready.set(configured, ready);
    return ready;
  }

  async #import(configured: SigningKey): Promise<CryptoKey | null> {
    if (configured.algorithm === "hmac-sha256") {
      const secret = new TextEncoder().encode(this.#secret(configured.secret) ?? "");
      return secret.byteLength < minSecretBytes ? null : hmacKey(secret, "verify");
    }
    try {
      const jwk = { kty: "OKP", crv: "Ed25519", x: configured.public_key };
      return await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["verify"]);
    } catch {
      return null;
    }
  }
}

export function hmacKey(secret: BufferSource, use: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [use]);
}

export function webCryptoName(algorithm: SignatureAlgorithm): "HMAC" | "Ed25519" {
  return algorithm === "hmac-sha256" ? "HMAC" : "Ed25519";
}
