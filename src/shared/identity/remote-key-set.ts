import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import type { Result } from "../contracts/result.ts";
import { SharedLoads } from "../isolate/shared-load.ts";
import { readKeySet, type KeyFinding, type KeySet } from "./key-set.ts";
import type { TokenAlgorithm } from "./public-key.ts";

/**
 * Which keys does an issuer publish at its URL, and what if it doesn't answer? One copy an isolate, shared between isolates through a
 * cache, refreshed in the background, and the last good one used through an outage. A token with an unknown `kid` may cause one fetch per
 * 30 s, so that a flood of made-up ones does not reach the issuer.
 */

/** Asks the issuer for its key set: the text, or why not. Bounded in time and size; never rejects. */
export type FetchKeySet = (url: string) => Promise<Result<string, string>>;

export interface StoredKeySet {
  readonly text: string;
  readonly fetchedAtMs: number;
}

/** Shared between isolates. Never rejects: a cache that fails is a miss. */
export interface KeySetCache {
  get(url: string): Promise<StoredKeySet | null>;
  put(url: string, stored: StoredKeySet): Promise<void>;
}

/** Times in milliseconds. */
export const keySetTimes = {
  freshMs: 300_000,
  /** Between two fetches for a `kid` that the set doesn't have, failed or not. */
  unknownKidMs: 30_000,
  /** Between two attempts while the issuer's URL fails. */
  retryMs: 5_000,
  /** For another request's fetch (cache 0.5 s, fetch 3 s); then a reader fetches himself. */
  waitMs: 4_500,
} as const;

export interface RemoteKeySetOptions {
  readonly url: string;
  readonly maxStaleMs: number;
  readonly fetch: FetchKeySet;
  readonly cache: KeySetCache;
  readonly now: () => number;
  readonly report: ReportFault;
}

export type RemoteKeyFinding = KeyFinding | { readonly result: "unavailable"; readonly detail: string };

export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions;
  readonly #loads = new SharedLoads<void>(keySetTimes.waitMs);
  #keys: KeySet | null = null;
  #text = "";
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  /** When the issuer was last asked, by whichever isolate. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #nextAttemptMs = Number.NEGATIVE_INFINITY;
  #fault: string | null = null;

  constructor(options: RemoteKeySetOptions) {
    this.#options = options;
  }

  /**
   * The set in use, for comparing by identity; `null`: none, or none that may still be used. Starts a refresh in the
   * background when one is due.
   */
  current(background: Background): KeySet | null {
    const now = this.#options.now();
    const ageMs = now - this.#fetchedAtMs;
    if (ageMs < keySetTimes.freshMs) return this.#keys;
    if (ageMs >= keySetTimes.freshMs + this.#options.maxStaleMs) return null;
    if (now >= this.#nextAttemptMs) {
      this.#nextAttemptMs = now + keySetTimes.retryMs;
      background.run("refresh key set", this.#load(keySetTimes.freshMs, background));
    }
    return this.#keys;
  }

  async find(
    kid: string | undefined,
    algorithm: TokenAlgorithm,
    background: Background,
  ): Promise<RemoteKeyFinding> {
    let keys = this.current(background);
    if (keys === null) {
      if (this.#options.now() >= this.#nextAttemptMs) await this.#load(keySetTimes.freshMs, background);
      keys = this.current(background);
      if (keys === null) return { result: "unavailable", detail: this.#fault ?? "no keys yet" };
    }
    const finding = await keys.find(kid, algorithm);
    if (finding.result !== "unknown" || kid === undefined) return finding;
    if (this.#options.now() - this.#askedAtMs >= keySetTimes.unknownKidMs)
      await this.#load(keySetTimes.unknownKidMs, background);
    const again = (await this.current(background)?.find(kid, algorithm)) ?? finding;
    // While the issuer can't be asked, a key that we don't know may be a new one of his: that is not the caller's fault.
    return again.result === "unknown" && this.#fault !== null
      ? { result: "unavailable", detail: this.#fault }
      : again;
  }

  /** `maxAgeMs`: how old a copy of the shared cache may be to spare the issuer a fetch. */
  #load(maxAgeMs: number, background: Background): Promise<void> {
    return this.#loads.load(`key set ${maxAgeMs}`, () => this.#refresh(maxAgeMs, background), background);
  }

  async #refresh(maxAgeMs: number, background: Background): Promise<void> {
    const { url, fetch, cache, now } = this.#options;
    const stored = await cache.get(url);
    if (stored !== null && stored.fetchedAtMs > this.#fetchedAtMs && stored.fetchedAtMs <= now())
      this.#adopt(stored);
    if (now() - this.#fetchedAtMs < maxAgeMs) return;
    const askedAtMs = now();
    this.#askedAtMs = askedAtMs;
    const answer = await fetch(url);
    // A later question was answered sooner: this is what the issuer said before.
    if (askedAtMs < this.#fetchedAtMs) return;
    if (!answer.ok) {
      this.#fail(answer.error);
      return;
    }
    // As old as its question, also for other isolates.
    const fetched = { text: answer.value, fetchedAtMs: askedAtMs };
    if (this.#adopt(fetched)) background.run("store key set", cache.put(url, fetched));
    else this.#fail("is no key set");
  }

  #adopt(stored: StoredKeySet): boolean {
    // The same text keeps the same object: tokens verified by it stay remembered, imported keys stay imported.
    if (this.#keys === null || stored.text !== this.#text) {
      const keys = readKeySet(stored.text);
      if (keys === null) return false;
      this.#keys = keys;
      this.#text = stored.text;
    }
    this.#fetchedAtMs = stored.fetchedAtMs;
    this.#askedAtMs = Math.max(this.#askedAtMs, stored.fetchedAtMs);
    this.#fault = null;
    return true;
  }

  #fail(fault: string): void {
    this.#fault = `key set ${this.#options.url}: ${fault}`;
    this.#nextAttemptMs = this.#options.now() + keySetTimes.retryMs;
    this.#options.report("identity", this.#fault);
  }
}
