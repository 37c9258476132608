import { importJWK } from "jose/key/import";
import { publicKeyFault, type TokenAlgorithm } from "./public-key.ts";
import type { PinnedKey } from "./signature.ts";

/**
 * Which key of a set (RFC 7517, 5) verifies a token with this `kid` and algorithm? Exactly one, or none: a token is
 * never tried against key after key. Keys that may not verify that algorithm are passed over as if they weren't there.
 */
export type KeyFinding =
  | { readonly result: "found"; readonly key: PinnedKey }
  | { readonly result: "unknown" | "ambiguous" | "unusable" };

type Jwk = Readonly<Record<string, unknown>>;

const maxKeys = 64;

export class KeySet {
  readonly #keys: readonly Jwk[];
  /**
   * Imported once each; at most `maxKeys` times the algorithms. Keys, not promises of them: a promise of a request that
   * is reset never settles for the others.
   */
  readonly #imported = new Map<string, PinnedKey>();

  constructor(keys: readonly Jwk[]) {
    this.#keys = keys;
  }

  async find(kid: string | undefined, algorithm: TokenAlgorithm): Promise<KeyFinding> {
    const usable = [...this.#keys.entries()].filter(
      ([, jwk]) => (kid === undefined || jwk["kid"] === kid) && publicKeyFault(jwk, algorithm) === null,
    );
    const [only] = usable;
    if (only === undefined) return { result: "unknown" };
    if (usable.length > 1) return { result: "ambiguous" };
    const [at, jwk] = only;
    const name = `${at} ${algorithm}`;
    const key = this.#imported.get(name) ?? (await importPublicKey(jwk, algorithm));
    if (key === null) return { result: "unusable" };
    this.#imported.set(name, key);
    return { result: "found", key };
  }
}

/** `null`: that is no key set. Its keys are judged when they are asked for, since one odd key must not spoil the rest. */
export function readKeySet(text: string): KeySet | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null || !("keys" in json)) return null;
  const { keys } = json;
  if (!Array.isArray(keys) || keys.length > maxKeys) return null;
  const objects = keys.filter((key): key is Jwk => typeof key === "object" && key !== null);
  return objects.length === keys.length ? new KeySet(objects) : null;
}

async function importPublicKey(jwk: Jwk, algorithm: TokenAlgorithm): Promise<PinnedKey | null> {
  try {
    const { kty, crv, n, e, x, y } = jwk as Record<string, string>;
    // Only what makes the key: `use` and `key_ops` were judged, and engines differ in how they read them.
    const members = Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => value !== undefined);
    const key = await importJWK(Object.fromEntries(members), algorithm);
    return key instanceof Uint8Array ? null : { algorithm, key };
  } catch {
    // A point off the curve, or a modulus that the engine doesn't take.
    return null;
  }
}
