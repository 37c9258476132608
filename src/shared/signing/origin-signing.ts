/**
 * How does a cluster know that a request comes from the edge? Every request to an origin is signed, where a key is
 * configured; a proxy in front of the engine verifies it and refuses all else (docs/signing.md). Around the network port, so
 * that generations, polls and probes are signed alike. Which key signs for which cluster: src/shared/routing/origin-transport.ts.
 */
import { err, ok, type Result } from "../contracts/result.ts";
import { hmacKey } from "./signature-key.ts";
import { signRequest, type SigningIdentity } from "./sign-request.ts";
import { minSecretBytes, type SignatureAlgorithm } from "./signing-policy.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** ORIGIN_SIGNING_KEY in parts: `<algorithm>:<key id>:<base64url>`. */
export interface OriginSigningKey {
  readonly algorithm: SignatureAlgorithm;
  readonly keyId: string;
  /** The HMAC secret, or a private key as PKCS #8. */
  readonly material: Uint8Array<ArrayBuffer>;
}

export function parseOriginSigningKey(text: string): Result<OriginSigningKey, string> {
  const parts = /^(hmac-sha256|ed25519):([\w.-]{1,128}):([A-Za-z0-9_-]{1,4096})$/.exec(text.trim());
  const [, algorithm, keyId, encoded] = parts ?? [];
  if (algorithm === undefined || keyId === undefined || encoded === undefined)
    return err("is not <hmac-sha256 or ed25519>:<key id>:<base64url>");
  // One character alone holds no byte: a key that was cut, which atob throws at.
  if (encoded.length % 4 === 1) return err("is cut: no base64url has that length");
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  const material = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (material.byteLength < minSecretBytes) return err(`has fewer than ${minSecretBytes} bytes`);
  return ok({ algorithm: algorithm as SignatureAlgorithm, keyId, material });
}

export interface OriginSigningOptions {
  readonly key: OriginSigningKey;
  readonly now: () => number;
  /** Never the same twice, of 16 characters at least. */
  readonly newNonce: () => string;
}

/** The same network with signed requests. A key that can't be imported fails each request: an unsigned one would tell no one. */
export function signingTransport(send: Fetch, { key, now, newNonce }: OriginSigningOptions): Fetch {
  let identity: SigningIdentity | null = null;
  return async function signedFetch(url, init) {
    identity ??= { keyId: key.keyId, algorithm: key.algorithm, key: await importKey(key) };
    const fields = await signRequest(
      {
        method: init.method ?? "GET",
        url,
        body: new TextEncoder().encode(typeof init.body === "string" ? init.body : ""),
      },
      identity,
      { nowMs: now(), nonce: newNonce() },
    );
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
    return send(url, { ...init, headers });
  };
}

function importKey({ algorithm, material }: OriginSigningKey): Promise<CryptoKey> {
  return algorithm === "hmac-sha256"
    ? hmacKey(material, "sign")
    : crypto.subtle.importKey("pkcs8", material, "Ed25519", false, ["sign"]);
}
