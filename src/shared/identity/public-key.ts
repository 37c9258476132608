/**
 * Is this JWK a public key that may verify signatures of this algorithm? Everything that jose and WebCrypto leave open
 * is decided here (RFC 8725, 3.1, 3.2, 3.4 and 3.5): the key's type, curve and strength, and what its owner says that
 * it is for. A point off its curve is refused by WebCrypto when the key is imported.
 */
export const tokenAlgorithms = [
  "HS256",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** Bits of an RSA modulus. Below: weak (RFC 7518, 3.3). Above: each verification costs more than a caller should cause. */
const rsaBits = { min: 2048, max: 8192 } as const;
/** Bytes of a shared secret: as many as the hash gives (RFC 7518, 3.2). */
export const minSecretBytes = 32;

const curves = {
  ES256: { name: "P-256", bytes: 32 },
  ES384: { name: "P-384", bytes: 48 },
  ES512: { name: "P-521", bytes: 66 },
} as const;

/** Members of a private or symmetric key (RFC 7518, 6): a published one is compromised. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] as const;

/** What is wrong with `jwk` as a verification key for `algorithm`; `null`: nothing. */
export function publicKeyFault(
  jwk: Readonly<Record<string, unknown>>,
  algorithm: TokenAlgorithm,
): string | null {
  const leaked = privateMembers.find((member) => Object.hasOwn(jwk, member));
  if (leaked !== undefined) return `holds the private member "${leaked}"`;
  if (jwk["use"] !== undefined && jwk["use"] !== "sig") return "use: is not for signatures";
  const operations = jwk["key_ops"];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return "key_ops: does not include verify";
  // RFC 9864 gives EdDSA over Ed25519 the name Ed25519.
  const named = jwk["alg"] === "Ed25519" ? "EdDSA" : jwk["alg"];
  if (named !== undefined && named !== algorithm) return "alg: is another algorithm";
  if (jwk["kid"] !== undefined && typeof jwk["kid"] !== "string") return "kid: is not a string";
  switch (algorithm) {
    case "HS256":
      return "kty: a shared secret is never in a key set";
    case "RS256":
    case "RS384":
    case "RS512":
    case "PS256":
    case "PS384":
    case "PS512":
      return jwk["kty"] === "RSA" ? rsaFault(jwk) : "kty: is not RSA";
    case "ES256":
    case "ES384":
    case "ES512": {
      const curve = curves[algorithm];
      if (jwk["kty"] !== "EC") return "kty: is not EC";
      if (jwk["crv"] !== curve.name) return `crv: is not ${curve.name}`;
      for (const member of ["x", "y"])
        if (decodedBytes(jwk[member])?.length !== curve.bytes)
          return `${member}: is not ${curve.bytes} bytes of base64url`;
      return null;
    }
    case "EdDSA":
      if (jwk["kty"] !== "OKP") return "kty: is not OKP";
      if (jwk["crv"] !== "Ed25519") return "crv: is not Ed25519";
      return decodedBytes(jwk["x"])?.length === 32 ? null : "x: is not 32 bytes of base64url";
  }
}

function rsaFault(jwk: Readonly<Record<string, unknown>>): string | null {
  const modulus = decodedBytes(jwk["n"]);
  if (modulus === null) return "n: is not base64url";
  const bits = bitLength(modulus);
  if (bits < rsaBits.min || bits > rsaBits.max) return `n: is not ${rsaBits.min} to ${rsaBits.max} bits`;
  const exponent = decodedBytes(jwk["e"]);
  if (exponent === null || exponent.length > 8) return "e: is not a short base64url number";
  const value = exponent.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return value >= 65_537n && value % 2n === 1n ? null : "e: is not an odd number of at least 65537";
}

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24);
}

/** Base64url without padding, in its one canonical form: the bits that the last character has over are zero. */
const base64url = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/;

export function isBase64url(text: string): boolean {
  return base64url.test(text);
}

/** `null` where it is not canonical base64url, or empty. */
export function decodedBytes(text: unknown): Uint8Array<ArrayBuffer> | null {
  if (typeof text !== "string" || text === "" || !base64url.test(text)) return null;
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}
