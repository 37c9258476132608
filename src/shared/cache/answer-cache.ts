import type { Background } from "../contracts/background.ts";
import type { RecentMap } from "../limits/recent-map.ts";
import { type CacheEntry, decodeEntry, encodeEntry } from "./cache-entry.ts";
import type { AnswerCache, CachedAnswer, CacheLookup } from "./ports.ts";

/**
 * Has this question been answered before, within 20 ms? Two tiers. The near one (the location's own Cache API) gets every
 * answer. The far one (KV, read everywhere, paid by the write) gets an answer on second sight: the first *hit* in any
 * location copies it there, since most answers are never asked for again and one that was is likely to be asked for
 * elsewhere. A hit in the far tier is copied into the near one. Both copies carry the same end, so that copying never
 * makes an answer live longer.
 *
 * In front of both, an isolate remembers the few answers that were asked for again lately, already decoded: such a hit
 * needs no call at all. It remembers on a hit, not on a store, so that second sight stays what the far tier goes by; what a new
 * answer takes the place of is forgotten.
 *
 * Never throws and never waits for a copy. A look-up that is too slow goes on in the background: what it finds is then
 * near for the next one.
 */
export interface AnswerTier {
  get(key: string): Promise<string | null>;
  put(key: string, entry: string, ttlSeconds: number): Promise<void>;
}

export type CacheFault = "entry-corrupt" | "entry-too-large" | "tier-failed";

export interface AnswerCacheDeps {
  /** As long-lived as the isolate. Null: nothing is remembered. */
  readonly memory: RecentMap<CacheEntry> | null;
  /** As long-lived: when the answers that were stored lately were made, by key. No older one takes their place. */
  readonly madeMs: RecentMap<number>;
  readonly near: AnswerTier;
  /** Null for tenants with a jurisdiction: KV holds no content of theirs. */
  readonly far: AnswerTier | null;
  readonly background: Background;
  readonly nowMs: () => number;
  /** Calls `fire` once after `ms`, unless the returned function is called before. */
  readonly timer: (ms: number, fire: () => void) => () => void;
  readonly onFault: (fault: CacheFault) => void;
}

export const lookupLimitMs = 20;
/** For requests with `only-if-cached`: a cold far tier takes hundreds of milliseconds, and an engine would take longer. */
export const patientLookupLimitMs = 1_000;
/** UTF-16 units of a whole entry: some 60,000 tokens of answer. */
export const maxEntryCharacters = 262_144;
/** Longer answers are not remembered: the isolate's memory is everyone's. */
const maxRememberedCharacters = 16_384;
/** KV takes no shorter life. */
const farMinimumSeconds = 60;

interface Found {
  readonly entry: CacheEntry;
  readonly ttlSeconds: number;
  /** Of the entry as it is kept. */
  readonly characters: number;
}

export function createAnswerCache(deps: AnswerCacheDeps): AnswerCache {
  return {
    lookup: (key, limitMs = lookupLimitMs, oldestMs = 0) => {
      const kept = remembered(deps, key, oldestMs);
      return kept === null ? lookup(deps, key, limitMs) : Promise.resolve(kept);
    },
    store: (key, answer, ttlSeconds) => store(deps, key, answer, ttlSeconds),
  };
}

function remembered(deps: AnswerCacheDeps, key: string, oldestMs: number): CacheLookup | null {
  const entry = deps.memory?.get(key);
  if (entry === undefined || entry.answer.createdMs < oldestMs) return null;
  const ttlSeconds = Math.floor((entry.expiresMs - deps.nowMs()) / 1000);
  return ttlSeconds <= 0 ? null : { result: "hit", answer: entry.answer, ttlSeconds, tier: "memory" };
}

function remember(deps: AnswerCacheDeps, key: string, { entry, characters }: Found): void {
  if (characters <= maxRememberedCharacters && !isReplaced(deps, key, entry)) deps.memory?.set(key, entry);
}

function isReplaced({ madeMs }: AnswerCacheDeps, key: string, { answer }: CacheEntry): boolean {
  return (madeMs.get(key) ?? 0) > answer.createdMs;
}

function lookup(deps: AnswerCacheDeps, key: string, limitMs: number): Promise<CacheLookup> {
  return new Promise((resolve) => {
    const work = find(deps, key).then((found) => {
      cancel();
      resolve(found);
    });
    const cancel = deps.timer(limitMs, () => {
      resolve({ result: "slow" });
      deps.background.run("cache-lookup", work);
    });
  });
}

async function find(deps: AnswerCacheDeps, key: string): Promise<CacheLookup> {
  const near = await read(deps, deps.near, key);
  if (near !== null) {
    // Of look-ups at the same time the first copies: KV is paid by the write, and takes one a second and key.
    const isFirst = deps.memory?.get(key)?.expiresMs !== near.entry.expiresMs;
    if (!near.entry.promoted && isFirst) promote(deps, key, near);
    remember(deps, key, near);
    return { result: "hit", answer: near.entry.answer, ttlSeconds: near.ttlSeconds, tier: "cache-api" };
  }
  if (deps.far === null) return { result: "miss" };
  const far = await read(deps, deps.far, key);
  if (far === null) return { result: "miss" };
  remember(deps, key, far);
  deps.background.run(
    "cache-bring-near",
    copyNear(deps, key, { ...far, entry: { ...far.entry, promoted: true } }),
  );
  return { result: "hit", answer: far.entry.answer, ttlSeconds: far.ttlSeconds, tier: "kv" };
}

async function read(deps: AnswerCacheDeps, tier: AnswerTier, key: string): Promise<Found | null> {
  let text: string | null;
  try {
    text = await tier.get(key);
  } catch {
    deps.onFault("tier-failed");
    return null;
  }
  if (text === null) return null;
  const entry = decodeEntry(text);
  if (entry === null) {
    deps.onFault("entry-corrupt");
    return null;
  }
  const ttlSeconds = Math.floor((entry.expiresMs - deps.nowMs()) / 1000);
  return ttlSeconds <= 0 ? null : { entry, ttlSeconds, characters: text.length };
}

/** The far copy first: a near one that says `promoted` without it would keep it from ever being made. */
function promote(deps: AnswerCacheDeps, key: string, found: Found): void {
  const { far } = deps;
  if (far === null || found.ttlSeconds < farMinimumSeconds) return;
  const entry = { ...found.entry, promoted: true };
  const work = write(deps, far, key, entry, found.ttlSeconds).then((written) =>
    written ? copyNear(deps, key, { ...found, entry }) : false,
  );
  deps.background.run("cache-promote", work);
}

/** Reading and writing the far tier take time: an answer that was stored anew meanwhile stays. */
async function copyNear(deps: AnswerCacheDeps, key: string, { entry, ttlSeconds }: Found): Promise<boolean> {
  const there = await read(deps, deps.near, key);
  if (there !== null && there.entry.answer.createdMs > entry.answer.createdMs) return false;
  // An answer that this isolate is storing at the moment stays as well.
  if (isReplaced(deps, key, entry)) return false;
  return write(deps, deps.near, key, entry, ttlSeconds);
}

async function store(
  deps: AnswerCacheDeps,
  key: string,
  answer: CachedAnswer,
  ttlSeconds: number,
): Promise<void> {
  const expiresMs = Math.floor(deps.nowMs() + ttlSeconds * 1000);
  // A client asked for a new one (`no-cache`), or the old one was too old for it (`max-age`): both would meet the old one again.
  deps.memory?.delete(key);
  deps.madeMs.set(key, answer.createdMs);
  await write(deps, deps.near, key, { expiresMs, promoted: false, answer }, ttlSeconds);
}

async function write(
  deps: AnswerCacheDeps,
  tier: AnswerTier,
  key: string,
  entry: CacheEntry,
  ttlSeconds: number,
): Promise<boolean> {
  const text = encodeEntry(entry);
  if (text.length > maxEntryCharacters) {
    deps.onFault("entry-too-large");
    return false;
  }
  try {
    await tier.put(key, text, ttlSeconds);
    return true;
  } catch {
    deps.onFault("tier-failed");
    return false;
  }
}
