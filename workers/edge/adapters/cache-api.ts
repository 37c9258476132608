import type { AnswerTier } from "../../../src/shared/cache/answer-cache.ts";

/**
 * The near tier of the answer cache: the Cache API of the location. Its keys are URLs of a host that can't exist, so that
 * no request from outside is ever answered from there.
 */
export function cacheApiTier(cache: Cache): AnswerTier {
  return {
    async get(key) {
      const response = await cache.match(urlOf(key));
      return response === undefined ? null : response.text();
    },
    async put(key, entry, ttlSeconds) {
      const headers = {
        "content-type": "application/json",
        "cache-control": `public, max-age=${ttlSeconds}`,
      };
      await cache.put(urlOf(key), new Response(entry, { headers }));
    },
  };
}

function urlOf(key: string): string {
  return `https://answers.edgewise.invalid/exact/${key}`;
}
