/**
 * The Cache API for plain workerd: serves the runtime's internal protocol of `caches.default` from memory. A `put` brings the
 * response as the bytes of an HTTP message; a `match` expects it with `CF-Cache-Status: HIT`.
 */
interface Entry {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: readonly (readonly [string, string])[];
  readonly expiresAtMs: number;
}

const maxEntries = 10_000;
const entries = new Map<string, Entry>();

export default {
  async fetch(request: Request): Promise<Response> {
    switch (request.method) {
      case "GET": {
        const entry = entries.get(request.url);
        if (entry === undefined || entry.expiresAtMs <= Date.now())
          return new Response("", { status: 504, headers: { "CF-Cache-Status": "MISS" } });
        return new Response(entry.body, {
          headers: [...entry.headers, ["CF-Cache-Status", "HIT"]] as [string, string][],
        });
      }
      case "PUT": {
        const entry = parse(new Uint8Array(await request.arrayBuffer()));
        const oldest = entries.size < maxEntries ? undefined : entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
        entries.set(request.url, entry);
        return new Response(null, { status: 204 });
      }
      case "PURGE":
        return new Response("", { status: entries.delete(request.url) ? 200 : 404 });
      default:
        return new Response("Method Not Allowed", { status: 405 });
    }
  },
};

/** Framing of the message in transit; the stored body is complete. */
const framing = new Set(["content-length", "transfer-encoding", "connection"]);

function parse(message: Uint8Array<ArrayBuffer>): Entry {
  const head = new TextDecoder("latin1").decode(message).split("\r\n\r\n", 1)[0] ?? "";
  const headers = head
    .split("\r\n")
    .slice(1)
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
  const find = (name: string): string => headers.find(([known]) => known === name)?.[1] ?? "";
  const body = message.slice(head.length + 4);
  const maxAge = /max-age=(\d+)/.exec(find("cache-control"))?.[1];
  return {
    body: find("transfer-encoding") === "chunked" ? unchunk(body) : body,
    headers: headers.filter(([name]) => !framing.has(name)),
    expiresAtMs: Date.now() + Number(maxAge ?? 0) * 1000,
  };
}

function unchunk(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder("latin1").decode(body);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd === -1 || !(size > 0)) break;
    parts.push(body.slice(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
