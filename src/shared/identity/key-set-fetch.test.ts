import { expect, test, vi } from "vitest";
import { keySetCache, keySetFetcher, keySetLimits } from "./key-set-fetch.ts";

const url = "https://id.test/keys";

test("the text of a 200 is what the issuer publishes", async () => {
  const fetch = keySetFetcher(async () => new Response('{"keys":[]}'));
  expect(await fetch(url)).toEqual({ ok: true, value: '{"keys":[]}' });
});

test("redirects are not followed, and the time is bounded", async () => {
  let seen: RequestInit | undefined;
  const fetch = keySetFetcher(async (_url, init) => {
    seen = init;
    return new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } });
  });
  expect(await fetch(url)).toEqual({ ok: false, error: "answered 302" });
  expect(seen?.redirect).toBe("manual");
  expect(seen?.signal).toBeInstanceOf(AbortSignal);
});

test("an answer without end is cut off, and its source told", async () => {
  let cancelled = false;
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 16_384;
      controller.enqueue(new Uint8Array(16_384).fill(0x20));
    },
    cancel() {
      cancelled = true;
    },
  });
  const fetch = keySetFetcher(async () => new Response(endless));
  expect(await fetch(url)).toEqual({ ok: false, error: "is longer than 65536 bytes" });
  expect(cancelled).toBe(true);
  expect(sent).toBeLessThanOrEqual(keySetLimits.maxBytes + 3 * 16_384);
});

test("an answer as long as is allowed passes", async () => {
  const text = "x".repeat(keySetLimits.maxBytes);
  expect(await keySetFetcher(async () => new Response(text))(url)).toEqual({ ok: true, value: text });
});

test.each<[string, () => Promise<Response>]>([
  ["refused connection", async () => Promise.reject(new TypeError("connect failed"))],
  ["time-out", async () => Promise.reject(new DOMException("timed out", "TimeoutError"))],
  ["bytes that are not UTF-8", async () => new Response(new Uint8Array([0xff, 0xfe]))],
  ["no body", async () => new Response(null)],
  ["500", async () => new Response("secret stack trace", { status: 500 })],
])("a %s is an error value", async (_name, answer) => {
  const result = await keySetFetcher(answer)(url);
  expect(result.ok).toBe(false);
  expect(JSON.stringify(result)).not.toContain("secret stack");
});

function fakeCache() {
  const kept = new Map<string, Response>();
  return {
    kept,
    match: async (key: string) => kept.get(key)?.clone(),
    put: async (key: string, response: Response) => void kept.set(key, response),
  };
}

test("a stored set comes back with its time, under a URL that is nobody's", async () => {
  const cache = fakeCache();
  const sets = keySetCache(cache);
  expect(await sets.get(url)).toBeNull();
  await sets.put(url, { text: "{}", fetchedAtMs: 5 });
  expect(await sets.get(url)).toEqual({ text: "{}", fetchedAtMs: 5 });
  const [[key, response] = ["", undefined]] = [...cache.kept];
  expect(new URL(key).hostname).toBe("key-sets.edgewise.invalid");
  expect(response?.headers.get("cache-control")).toBe("max-age=86400");
});

test("a cache that fails, or holds something else, is a miss", async () => {
  const failing = {
    match: async () => Promise.reject(new Error("down")),
    put: async () => Promise.reject(new Error("down")),
  };
  expect(await keySetCache(failing).get(url)).toBeNull();
  await keySetCache(failing).put(url, { text: "{}", fetchedAtMs: 5 });
  const foreign = { ...failing, match: async () => new Response("hello") };
  expect(await keySetCache(foreign).get(url)).toBeNull();
});

test.each([
  ["says nothing", () => new Promise<Response>(() => undefined)],
  ["stops in the middle of its answer", async () => new Response(new ReadableStream())],
])(
  "a cache that %s is a miss after half a second: nobody waits for it to be identified",
  async (_, match) => {
    vi.useFakeTimers();
    try {
      const cache = keySetCache({ match, put: () => Promise.resolve() });
      const got = cache.get(url);
      await vi.advanceTimersByTimeAsync(keySetLimits.cacheTimeoutMs);
      expect(await got).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  },
);
