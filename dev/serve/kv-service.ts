/**
 * A KV namespace for plain workerd: serves the internal HTTP of a KV binding from memory. One Worker for each namespace; its
 * contents end with the process. Entries never expire early, as in KV.
 */
interface Entry {
  readonly value: ArrayBuffer;
  readonly metadata: string | null;
  readonly expiresAtMs: number;
}

const entries = new Map<string, Entry>();
let seeded = false;

/** Loads the initial contents: an object of texts by key. */
function seed(json: string): void {
  seeded = true;
  for (const [key, text] of Object.entries(JSON.parse(json) as Record<string, string>))
    entries.set(key, {
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
  const found = [...entries.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
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
        const entry = entries.get(key);
        if (entry === undefined || entry.expiresAtMs <= Date.now()) {
          entries.delete(key);
          return new Response("Not Found", { status: 404 });
        }
        return new Response(
          entry.value,
          entry.metadata === null ? {} : { headers: { "CF-KV-Metadata": entry.metadata } },
        );
      }
      case "PUT": {
        const ttlSeconds = url.searchParams.get("expiration_ttl");
        const atSeconds = url.searchParams.get("expiration");
        entries.set(key, {
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
        entries.delete(key);
        return new Response();
      default:
        return new Response("Method Not Allowed", { status: 405 });
    }
  },
};
