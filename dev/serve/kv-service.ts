/**
 * A KV namespace for plain workerd: serves the internal HTTP of a KV binding from memory. One Worker for each namespace; its
 * contents end with the process. What has no expiry (tenants, keys, the fleet) is never dropped. What has one, as cached answers do, is dropped
 * some time after it, read or not, and the oldest earlier where there are too many.
 */
interface Entry {
  readonly value: ArrayBuffer;
  readonly metadata: string | null;
  readonly expiresAtMs: number;
}

const maxExpiring = 10_000;
/** No sweep before there are so many: each looks at all of them. */
const leastSwept = 1000;

const lasting = new Map<string, Entry>();
const expiring = new Map<string, Entry>();
/** Twice as many as the last sweep left, so that sweeps cost each put the same, however many lie there. */
let sweptAt = leastSwept;
let seeded = false;

function sweep(nowMs: number): void {
  for (const [key, { expiresAtMs }] of expiring) if (expiresAtMs <= nowMs) expiring.delete(key);
  for (const key of expiring.keys()) {
    if (expiring.size < maxExpiring) break;
    expiring.delete(key);
  }
  sweptAt = Math.min(maxExpiring, Math.max(leastSwept, 2 * expiring.size));
}

function put(key: string, entry: Entry): void {
  remove(key);
  if (entry.expiresAtMs === Number.POSITIVE_INFINITY) {
    lasting.set(key, entry);
    return;
  }
  if (expiring.size >= sweptAt) sweep(Date.now());
  expiring.set(key, entry);
}

function remove(key: string): void {
  lasting.delete(key);
  expiring.delete(key);
}

function unexpired(key: string): Entry | undefined {
  const entry = lasting.get(key) ?? expiring.get(key);
  if (entry === undefined || entry.expiresAtMs > Date.now()) return entry;
  remove(key);
  return undefined;
}

/** Loads the initial contents: an object of texts by key. */
function seed(json: string): void {
  seeded = true;
  for (const [key, text] of Object.entries(JSON.parse(json) as Record<string, string>))
    lasting.set(key, {
      value: new TextEncoder().encode(text).buffer,
      metadata: null,
      expiresAtMs: Number.POSITIVE_INFINITY,
    });
}

/** Names in order, a page at a time. The cursor is the last one of the page before. */
function list(query: URLSearchParams): object {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("cursor") ?? "";
  const limit = Number(query.get("key_count_limit") ?? 1000);
  const found = [...lasting.keys(), ...expiring.keys()]
    .filter((name) => name.startsWith(prefix) && name > after)
    .sort();
  const names = found.slice(0, limit);
  const isComplete = found.length <= limit;
  return {
    keys: names.map((name) => ({ name })),
    list_complete: isComplete,
    ...(!isComplete && { cursor: names.at(-1) }),
  };
}

export default {
  async fetch(request: Request, env: { readonly SEED: string }): Promise<Response> {
    if (!seeded) seed(env.SEED);
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    switch (request.method) {
      case "GET": {
        if (key === "") return Response.json(list(url.searchParams));
        const entry = unexpired(key);
        if (entry === undefined) return new Response("Not Found", { status: 404 });
        return new Response(
          entry.value,
          entry.metadata === null ? {} : { headers: { "CF-KV-Metadata": entry.metadata } },
        );
      }
      case "PUT": {
        const ttlSeconds = url.searchParams.get("expiration_ttl");
        const atSeconds = url.searchParams.get("expiration");
        put(key, {
          value: await request.arrayBuffer(),
          metadata: request.headers.get("CF-KV-Metadata"),
          expiresAtMs:
            ttlSeconds !== null
              ? Date.now() + Number(ttlSeconds) * 1000
              : atSeconds !== null
                ? Number(atSeconds) * 1000
                : Number.POSITIVE_INFINITY,
        });
        return new Response();
      }
      case "DELETE":
        remove(key);
        return new Response();
      default:
        return new Response("Method Not Allowed", { status: 405 });
    }
  },
};
