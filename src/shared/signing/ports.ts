/** Which nonces were used? Exact, for as long as a signature could be replayed. */
export interface NonceLedger {
  /**
   * `new` for at most one of any number of calls with one scope and nonce, `over` from `untilMs` on. Rejects where it can't be
   * asked: the request is then refused, never let through.
   */
  remember(use: NonceUse): Promise<"new" | "seen" | "over">;
}

export interface NonceUse {
  /** Whose nonces: a key of a tenant. */
  readonly tenant: string;
  readonly jurisdiction: "none" | "eu";
  readonly keyId: string;
  readonly nonce: string;
  /** When the signature is too old to be taken under any policy, in milliseconds since 1970. */
  readonly untilMs: number;
}
