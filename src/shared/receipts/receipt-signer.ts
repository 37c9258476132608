/**
 * Signs receipts as JWS in compact form (RFC 7515) with Ed25519 (RFC 8037), and publishes the key that verifies them.
 *
 * The key is derived from EDGEWISE_SECRET, so that every isolate has the same and there is no further secret to keep; changing
 * that secret changes the key, and receipts from before are then verified with a copy of the old document. Ed25519 signs the
 * same claims to the same bytes.
 */
import { calculateJwkThumbprint, CompactSign } from "jose";
import type { KeyedHash } from "../turn/keyed-hash.ts";
import type { ReceiptClaims } from "./receipt.ts";

/** The media type of the `typ` header, as RFC 8725 advises: no receipt can stand where another token is asked for. */
export const receiptType = "edgewise-receipt+jwt";

export interface PublicReceiptKey {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid: string;
  readonly alg: "EdDSA";
  readonly use: "sig";
}

interface ReadyKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: PublicReceiptKey;
}

/** PKCS #8 of an Ed25519 key (RFC 8410) up to its 32 bytes. */
const pkcs8Head = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

export class ReceiptSigner {
  readonly #hash: KeyedHash;
  /** A value, never a promise of some request (keyed-hash.ts). */
  #ready: ReadyKey | null = null;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  async sign(claims: ReceiptClaims): Promise<string> {
    const { privateKey, publicKey } = await this.#key();
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "EdDSA", kid: publicKey.kid, typ: receiptType })
      .sign(privateKey);
  }

  async publicKey(): Promise<PublicReceiptKey> {
    return (await this.#key()).publicKey;
  }

  async #key(): Promise<ReadyKey> {
    if (this.#ready !== null) return this.#ready;
    const seed = await this.#hash.of("receipt-key/1");
    const pkcs8 = new Uint8Array([...pkcs8Head, ...seed]);
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
    const { x } = (await crypto.subtle.exportKey("jwk", privateKey)) as { readonly x?: string };
    if (x === undefined) throw new Error("an Ed25519 key has a public half");
    const jwk = { kty: "OKP", crv: "Ed25519", x } as const;
    const publicKey = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "EdDSA", use: "sig" } as const;
    this.#ready = { privateKey, publicKey };
    return this.#ready;
  }
}
