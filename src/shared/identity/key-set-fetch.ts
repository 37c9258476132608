import { err, ok, type Result } from "../contracts/result.ts";
import { timedOut, within } from "../isolate/within.ts";
import { boundedText } from "../stream/bounded-text.ts";
import type { FetchKeySet, KeySetCache, StoredKeySet } from "./remote-key-set.ts";

/**
 * How is a key set fetched, and shared between isolates? By `fetch` without redirects (a redirect could lead anywhere), bounded in time and
 * bytes; and through the Cache API, whose copy is parsed by the same rules as the issuer's own answer.
 */
export const keySetLimits = { timeoutMs: 3_000, maxBytes: 65_536, cacheTimeoutMs: 500 } as const;

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function keySetFetcher(fetch: Fetch): FetchKeySet {
  return async (url) => {
    try {
      const response = await fetch(url, {
        redirect: "manual",
        headers: { accept: "application/jwk-set+json, application/json" },
        signal: AbortSignal.timeout(keySetLimits.timeoutMs),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        return err(`answered ${response.status}`);
      }
      return await textOf(response);
    } catch (error) {
      return err(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  };
}

async function textOf({ body }: Response): Promise<Result<string, string>> {
  if (body === null) return err("answered nothing");
  const { maxBytes } = keySetLimits;
  const text = await boundedText(body, maxBytes, new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }));
  return text === null ? err(`is longer than ${maxBytes} bytes`) : ok(text);
}

/** What the Cache API offers; `caches.default` in a Worker. */
interface ResponseCache {
  match(request: string): Promise<Response | undefined>;
  put(request: string, response: Response): Promise<void>;
}

const fetchedAtHeader = "x-fetched-at-ms";

/** `keepSeconds`: how long a copy may serve an isolate that starts during an outage. */
export function keySetCache(cache: ResponseCache, keepSeconds = 86_400): KeySetCache {
  return {
    async get(url): Promise<StoredKeySet | null> {
      try {
        // A cache that says nothing must not keep callers from being identified: it is slower than the issuer then.
        const stored = await within(storedIn(cache, url), keySetLimits.cacheTimeoutMs);
        return stored === timedOut ? null : stored;
      } catch {
        // By contract a miss: the issuer itself is asked next, and that is reported when it fails.
        return null;
      }
    },
    async put(url, stored) {
      try {
        await cache.put(
          cacheUrl(url),
          new Response(stored.text, {
            headers: {
              "cache-control": `max-age=${keepSeconds}`,
              "content-type": "application/json",
              [fetchedAtHeader]: String(stored.fetchedAtMs),
            },
          }),
        );
      } catch {
        // By contract nothing: every isolate then fetches for itself.
        return;
      }
    },
  };
}

async function storedIn(cache: ResponseCache, url: string): Promise<StoredKeySet | null> {
  const found = await cache.match(cacheUrl(url));
  if (found === undefined) return null;
  const text = await textOf(found);
  const fetchedAtMs = Number(found.headers.get(fetchedAtHeader) ?? "");
  return text.ok && fetchedAtMs > 0 ? { text: text.value, fetchedAtMs } : null;
}

function cacheUrl(url: string): string {
  return `https://key-sets.edgewise.invalid/${encodeURIComponent(url)}`;
}
