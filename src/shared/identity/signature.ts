import { compactVerify } from "jose/jws/compact/verify";
import type { TokenAlgorithm } from "./public-key.ts";

/**
 * Did the holder of this key sign this? The algorithm is the configured one: what the token's header says must equal
 * it, and it alone decides nothing. Compact serialisation only (RFC 7515, 7.1), the payload inside it.
 */

/** A key together with the one algorithm that it may be used with (RFC 8725, 3.1). Made by issuer-keys.ts. */
export interface PinnedKey {
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey;
}

/** The signed payload; `null` where the signature or the form is wrong. */
export async function verifiedPayload(compact: string, pinned: PinnedKey): Promise<Uint8Array | null> {
  try {
    // RFC 9864's name for EdDSA over the one curve that we take: the same computation with the same key.
    const names = pinned.algorithm === "EdDSA" ? ["EdDSA", "Ed25519"] : [pinned.algorithm];
    const verified = await compactVerify(compact, pinned.key, { algorithms: names });
    return verified.payload;
  } catch {
    // jose throws for each wrong token, and WebCrypto for a signature of an odd length: all the same answer.
    return null;
  }
}
