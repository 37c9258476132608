/**
 * HMAC-SHA-256 under EDGEWISE_SECRET, with a label for each purpose, so that a tag made for one purpose proves nothing for
 * another.
 *
 * The imported key is remembered as a value, never as a promise: a promise that one request began and others await
 * hangs for all of them when the first is reset.
 */
export class KeyedHash {
  readonly #secret: string;
  #key: CryptoKey | null = null;

  /** @param secret at least 16 characters; shorter throws, since every id would then be guessable. */
  constructor(secret: string) {
    if (secret.length < 16) throw new TypeError("EDGEWISE_SECRET needs at least 16 characters");
    this.#secret = secret;
  }

  /** 32 bytes over `label` and `parts`, which are joined by NUL: no part may hold one (throws). */
  async of(label: string, ...parts: readonly string[]): Promise<Uint8Array> {
    if (parts.some((part) => part.includes("\0"))) throw new TypeError("a hashed part holds a NUL");
    const encoder = new TextEncoder();
    this.#key ??= await crypto.subtle.importKey(
      "raw",
      encoder.encode(this.#secret),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const text = encoder.encode(`edgewise\0${label}\0${parts.join("\0")}`);
    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#key, text));
  }
}
