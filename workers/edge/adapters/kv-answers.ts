import type { AnswerTier } from "../../../src/shared/cache/answer-cache.ts";

/** The far tier of the answer cache: KV, under `exact/<key>`. Values are answers, never prompts (docs/storage.md). */
export function kvTier(namespace: KVNamespace): AnswerTier {
  return {
    get: (key) => namespace.get(nameOf(key), "text"),
    put: (key, entry, ttlSeconds) => namespace.put(nameOf(key), entry, { expirationTtl: ttlSeconds }),
  };
}

function nameOf(key: string): string {
  return `exact/${key}`;
}
