import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { BoundedMap } from "../isolate/bounded-map.ts";
import { SharedLoads } from "../isolate/shared-load.ts";
import { timedOut, within } from "../isolate/within.ts";

/**
 * How does a hot request read configuration without waiting for KV? From the isolate's memory: fresh for a minute, then
 * still served while one request refreshes it in the background, and the last good one for as long as KV is down or the
 * entry is broken. Reads return a value, not a promise, whenever memory has one.
 */

/** Where configuration is kept: KV in a Worker. `null`: no such key. Rejects when it can't be asked. */
export interface ConfigStore {
  get(key: string): Promise<string | null>;
}

export type ConfigUnavailable = Extract<Refusal, { kind: "dependency-unavailable" }>;

/** `null`: there is no such entry. */
export type Reading<T> = Result<T | null, ConfigUnavailable>;

export interface ConfigCacheOptions<T> {
  readonly store: ConfigStore;
  /** The store's key of an entry, from the name that readers use. */
  readonly storeKey: (name: string) => string | Promise<string>;
  /** The entry's text as a value, or what is wrong with it (naming the field). Must not throw. */
  readonly parse: (text: string, name: string) => Result<T, string>;
  readonly now: () => number;
  readonly report: ReportFault;
  /** Of one generation of the memory; `configBounds.maxEntries` if not said. */
  readonly maxEntries?: number;
  /** "There is none" also counts as a last good answer while the store is down. */
  readonly absentIsGood?: boolean;
  /** In place of those of `configTimes`. */
  readonly freshMs?: number;
  readonly usableMs?: number;
}

/** Times in milliseconds. */
export const configTimes = {
  /** Served without a second look. */
  freshMs: 60_000,
  /** Served while it is refreshed in the background; older than this, the reader waits for the refresh. */
  usableMs: 300_000,
  /** The same two for "no such entry", so that a new tenant appears soon. */
  absentFreshMs: 30_000,
  absentUsableMs: 120_000,
  /** Between two attempts while the store is down and a last good value is there. */
  retryMs: 5_000,
  /** How long "unavailable" is repeated without asking, where nothing good is known. */
  unavailableMs: 1_000,
  /** For one read of the store. */
  readTimeoutMs: 2_000,
  /** For another request's read of it; then a reader asks himself. */
  waitMs: 2_500,
} as const;

/** What one generation of the memory holds at most; twice as much in all (see BoundedMap). */
const configBounds = { maxEntries: 2048, maxChars: 8_388_608 } as const;

interface Entry<T> {
  readonly reading: Reading<T>;
  readonly text: string | null;
  /** No refresh begins before this time. Raised when one begins, so that other requests don't begin another. */
  quietUntilMs: number;
  readonly usableUntilMs: number;
}

export class ConfigCache<T> {
  readonly #options: ConfigCacheOptions<T>;
  readonly #entries: BoundedMap<string, Entry<T>>;
  readonly #loads = new SharedLoads<Reading<T>>(configTimes.waitMs);

  constructor(options: ConfigCacheOptions<T>) {
    this.#options = options;
    this.#entries = new BoundedMap({
      maxEntries: options.maxEntries ?? configBounds.maxEntries,
      maxWeight: configBounds.maxChars,
      weigh: (name, { text }) => name.length + (text?.length ?? 0),
    });
  }

  /** At once where memory has it, fresh or within reach of a background refresh. Never rejects. */
  read(name: string, background: Background): Reading<T> | Promise<Reading<T>> {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      const now = this.#options.now();
      if (now < entry.quietUntilMs) return entry.reading;
      if (now < entry.usableUntilMs) {
        entry.quietUntilMs = now + configTimes.retryMs;
        background.run(`refresh ${name}`, this.#load(name, background));
        return entry.reading;
      }
    }
    return this.#load(name, background);
  }

  #load(name: string, background: Background): Promise<Reading<T>> {
    return this.#loads.load(name, () => this.#fetch(name), background);
  }

  async #fetch(name: string): Promise<Reading<T>> {
    const { store, storeKey, parse, now, freshMs = configTimes.freshMs } = this.#options;
    const { usableMs = configTimes.usableMs } = this.#options;
    let text: string | null | typeof timedOut;
    try {
      text = await within((async () => store.get(await storeKey(name)))(), configTimes.readTimeoutMs);
    } catch (error) {
      return this.#keepLastGood(name, `read failed: ${String(error)}`, configTimes.retryMs);
    }
    if (text === timedOut) return this.#keepLastGood(name, "read timed out", configTimes.retryMs);
    if (text === null) {
      const absent = ok(null);
      this.#entries.set(name, {
        reading: absent,
        text,
        quietUntilMs: now() + configTimes.absentFreshMs,
        usableUntilMs: now() + configTimes.absentUsableMs,
      });
      return absent;
    }
    const known = this.#entries.get(name);
    let reading: Reading<T>;
    if (known !== undefined && known.text === text && known.reading.ok) {
      // The same text keeps the same object: what was derived from it (imported keys, remembered tokens) stays valid.
      reading = known.reading;
    } else {
      const parsed = parse(text, name);
      if (!parsed.ok) return this.#keepLastGood(name, `is corrupt: ${parsed.error}`, configTimes.freshMs);
      reading = parsed;
    }
    this.#entries.set(name, {
      reading,
      text,
      quietUntilMs: now() + freshMs,
      usableUntilMs: now() + usableMs,
    });
    return reading;
  }

  #keepLastGood(name: string, fault: string, retryMs: number): Reading<T> {
    this.#options.report("configuration", `${name} ${fault}`);
    const now = this.#options.now();
    const known = this.#entries.get(name);
    const { absentIsGood = false, usableMs = configTimes.usableMs } = this.#options;
    if (known !== undefined && known.reading.ok && (known.reading.value !== null || absentIsGood)) {
      const kept = { ...known, quietUntilMs: now + retryMs, usableUntilMs: now + usableMs };
      this.#entries.set(name, kept);
      return known.reading;
    }
    const reading = err<ConfigUnavailable>({
      kind: "dependency-unavailable",
      component: "configuration",
      retryAfterMs: configTimes.unavailableMs,
      detail: `${name} ${fault}`,
    });
    const untilMs = now + configTimes.unavailableMs;
    this.#entries.set(name, { reading, text: null, quietUntilMs: untilMs, usableUntilMs: untilMs });
    return reading;
  }
}
