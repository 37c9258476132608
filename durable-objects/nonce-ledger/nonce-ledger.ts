import { DurableObject } from "cloudflare:workers";
import { NonceStore, spanEndMs } from "./nonce-store.ts";

export interface RememberNonce {
  readonly v: 1;
  readonly nonce: string;
  /** When the signature is too old anyway, in milliseconds since 1970. */
  readonly untilMs: number;
}

export type RememberedNonce =
  /** `over`: its signature has ended, and what was used under it may be forgotten. */
  { readonly result: "new" | "seen" | "over" } | { readonly result: "version-unsupported" };

/** A signature lives 10 minutes at most; a request for longer can't come from our own code. */
const longestMs = 1_800_000;

/**
 * The nonces of a part of one signing key's requests. Object of its own, and not an operation on the caller's bucket: a
 * bucket answers from memory and may forget what an eviction takes, by a stated bound; a nonce must never be forgotten
 * early. Here every answer is a row on disk, written before the answer leaves (the output gate), and memory holds nothing.
 * It is also per key, not per user: a captured request is a replay whoever's token it carries.
 */
export class NonceLedger extends DurableObject {
  readonly #store: NonceStore;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#store = new NonceStore(ctx.storage.sql);
  }

  /** Of any number of calls with one nonce, one is told `new`: an object runs this without anything in between. */
  async remember(request: RememberNonce): Promise<RememberedNonce> {
    if (request.v !== 1) return { result: "version-unsupported" };
    const now = Date.now();
    // Whoever asks has looked at the time before the body came, and by another clock: by then the nonce may have been dropped.
    if (request.untilMs <= now) return { result: "over" };
    const untilMs = Math.min(request.untilMs, now + longestMs);
    const isNew = this.ctx.storage.transactionSync(() => this.#store.add(request.nonce, untilMs));
    if (isNew && (await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(spanEndMs(untilMs));
    return { result: isNew ? "new" : "seen" };
  }

  override async alarm(): Promise<void> {
    const next = this.#store.dropUntil(Date.now());
    if (next === null) await this.ctx.storage.deleteAll();
    else await this.ctx.storage.setAlarm(next);
  }
}
