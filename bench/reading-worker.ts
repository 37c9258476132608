/**
 * The least that a Worker can do which looks at what passes, as the contract asks of every request: it reads and writes both
 * bodies, may be cancelled, has a deadline, gives sixteen headers and writes a log line; a stream is read and written chunk by
 * chunk; a deterministic request is looked up in the cache. What Edgewise costs beyond this is its own, what this costs
 * beyond the pass-through is the platform's.
 */
const answerHeaders = Object.fromEntries(
  Array.from({ length: 15 }, (_, at) => [`x-header-${at}`, `value ${at}`]),
);
const deadlineMs = 30_000;
const readBytes = 4096;

export default {
  async fetch(request: Request, env: { readonly ORIGIN: string }, ctx: ExecutionContext): Promise<Response> {
    const text = await request.text();
    // How the bench learns that the process is up.
    if (request.method !== "POST") return new Response("ok");
    const asked = JSON.parse(text) as { readonly stream?: boolean; readonly temperature?: number };
    if (asked.temperature === 0) return cached(text, () => answer(asked, request, env.ORIGIN, ctx), ctx);
    return answer(asked, request, env.ORIGIN, ctx);
  },
};

async function answer(
  asked: { readonly stream?: boolean },
  request: Request,
  origin: string,
  ctx: ExecutionContext,
): Promise<Response> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  request.signal.addEventListener("abort", end);
  const timer = setTimeout(end, deadlineMs);
  const answered = await fetch(origin + new URL(request.url).pathname, {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": "1", traceparent: "00-1-2-01" },
    body: JSON.stringify(asked),
    signal: ended.signal,
  });
  if (asked.stream === true && answered.body !== null) {
    clearTimeout(timer);
    const pipe = new IdentityTransformStream();
    ctx.waitUntil(relay(answered.body, pipe.writable));
    return respond(pipe.readable, "text/event-stream");
  }
  const body = JSON.stringify(JSON.parse(await answered.text()));
  clearTimeout(timer);
  return respond(body, "application/json");
}

function respond(body: BodyInit, type: string): Response {
  console.log(JSON.stringify({ ...answerHeaders, status: 200 }));
  return new Response(body, { headers: { ...answerHeaders, "content-type": type } });
}

async function relay(from: ReadableStream<Uint8Array>, to: WritableStream<Uint8Array>): Promise<void> {
  const reader = from.getReader({ mode: "byob" });
  const writer = to.getWriter();
  let buffer = new Uint8Array(readBytes);
  for (;;) {
    const { done, value } = await reader.read(buffer);
    if (done) break;
    // The platform may keep what is written: each chunk is a copy.
    writer.write(value.slice()).catch(() => reader.cancel());
    buffer = new Uint8Array(value.buffer, 0, readBytes);
  }
  await writer.close();
}

async function cached(text: string, ask: () => Promise<Response>, ctx: ExecutionContext): Promise<Response> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const url = `https://answers.invalid/${[...new Uint8Array(digest)].map((byte) => byte.toString(16)).join("-")}`;
  const hit = await caches.default.match(url);
  if (hit !== undefined) return respond(await hit.text(), "application/json");
  const response = await ask();
  const body = await response.text();
  ctx.waitUntil(
    caches.default.put(
      url,
      new Response(body, {
        headers: { "content-type": "application/json", "cache-control": "max-age=3600" },
      }),
    ),
  );
  return respond(body, "application/json");
}
