import { expect, test } from "vitest";
import { type Ask, safeFetch } from "./safe-fetch.ts";

interface Sent {
  readonly url: string;
  readonly method: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: unknown;
  readonly cache: string | undefined;
}

const ask: Ask = {
  url: new URL("https://api.example.com/a"),
  method: "GET",
  headers: {},
  secretHeaders: { "x-key": { value: "secret", secret: "secret" } },
  body: null,
};

/** Answers by the URL's path and host. */
async function asked(answers: Record<string, () => Response>, change: Partial<Ask> = {}, maxBytes = 100) {
  const sent: Sent[] = [];
  const result = await safeFetch(
    async (url, init) => {
      sent.push({
        url,
        method: init.method,
        headers: init.headers as Record<string, string>,
        body: init.body,
        cache: init.cache,
      });
      const answer = answers[url.replace("https://", "")];
      if (answer === undefined) throw new TypeError("connection refused by 10.0.0.7");
      return answer();
    },
    { ...ask, ...change },
    {
      targets: { hosts: new Set(["api.example.com", "cdn.example.com"]), mayReachThisMachine: false },
      maxBytes,
      signal: new AbortController().signal,
    },
  );
  return { result, sent };
}

const to =
  (location: string, status = 302) =>
  () =>
    new Response(null, { status, headers: { location } });

test("a redirect to another host of the list is followed, without the secret", async () => {
  const { result, sent } = await asked({
    "api.example.com/a": to("https://cdn.example.com/b"),
    "cdn.example.com/b": () => Response.json(1),
  });
  expect(result).toEqual({ ok: true, value: "1" });
  expect(sent.map(({ headers }) => headers["x-key"])).toEqual(["secret", undefined]);
});

test("no cache on the way keeps what a secret has opened, or has it from another's", async () => {
  const { sent } = await asked({
    "api.example.com/a": to("https://cdn.example.com/b"),
    "cdn.example.com/b": () => Response.json(1),
  });
  expect(sent.map(({ cache }) => cache)).toEqual(["no-store", "no-store"]);
});

test.each([
  ["a host that is not listed", "https://evil.example/"],
  ["plain http", "http://api.example.com/"],
  ["an address nearby", "//169.254.169.254/latest"],
  ["another port", "https://api.example.com:8080/"],
])("a redirect to %s is not followed", async (_name, location) => {
  const { result, sent } = await asked({ "api.example.com/a": to(location) });
  expect(result).toMatchObject({ ok: false, error: { kind: "refused" } });
  expect(sent).toHaveLength(1);
});

test("redirects are followed three times at most", async () => {
  const { result, sent } = await asked({ "api.example.com/a": to("/a") });
  expect(result).toMatchObject({ ok: false, error: { kind: "unavailable" } });
  expect(sent).toHaveLength(4);
});

test("303 behind a POST asks on without the body; 308 keeps it, on its own origin alone", async () => {
  const post = { method: "POST", body: "{}" };
  const other = await asked(
    { "api.example.com/a": to("/b", 303), "api.example.com/b": () => Response.json(1) },
    post,
  );
  expect(other.sent[1]).toMatchObject({ method: "GET", body: undefined });
  const kept = await asked(
    { "api.example.com/a": to("/b", 308), "api.example.com/b": () => Response.json(1) },
    post,
  );
  expect(kept.sent[1]).toMatchObject({ method: "POST", body: "{}" });
  const away = await asked({ "api.example.com/a": to("https://cdn.example.com/", 307) }, post);
  expect(away.result.ok).toBe(false);
  expect(away.sent).toHaveLength(1);
});

test("an answer over the size is broken off, whether its length was said or not", async () => {
  const said = await asked({
    "api.example.com/a": () => new Response("x".repeat(101), { headers: { "content-length": "101" } }),
  });
  expect(said.result).toMatchObject({ ok: false, error: { kind: "too-large" } });
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled += 1;
      controller.enqueue(new Uint8Array(60));
    },
  });
  const unsaid = await asked({
    "api.example.com/a": () => new Response(endless, { headers: { "content-type": "text/plain" } }),
  });
  expect(unsaid.result).toMatchObject({ ok: false, error: { kind: "too-large" } });
  expect(pulled).toBeLessThan(5);
});

test("neither what a server says in a failure nor why it can't be reached goes on", async () => {
  const failed = await asked({ "api.example.com/a": () => new Response("at db-7", { status: 500 }) });
  expect(failed.result).toEqual({
    ok: false,
    error: { kind: "unavailable", detail: "the server answered with status 500" },
  });
  const gone = await asked({});
  expect(gone.result).toEqual({
    ok: false,
    error: { kind: "unavailable", detail: "the server can't be reached" },
  });
});

test("a secret that the server says back is withheld", async () => {
  const echoing = {
    secretHeaders: { authorization: { value: "Bearer open-sesame", secret: "open-sesame" } },
  };
  const { result } = await asked(
    { "api.example.com/a": () => Response.json({ auth: "Bearer open-sesame" }) },
    echoing,
  );
  expect(result).toEqual({ ok: true, value: '{"auth":"Bearer [withheld]"}' });
});

test.each([
  ["with what stands before it", "token=ab/cd+ef==", "ab/cd+ef==", '{"is":"ab/cd+ef=="}'],
  ["as PHP's JSON writes it", "Basic ab/cd+ef==", "ab/cd+ef==", '{"is":"ab\\/cd+ef=="}'],
  ["as JSON writes it", 'say "open"', 'say "open"', '{"is":"say \\"open\\""}'],
  ["with escapes that nobody needs", "open-sesame", "open-sesame", '{"is":"\\u006fpen-\\u0073esame"}'],
  ["in an address", "ab/cd+ef==", "ab/cd+ef==", "https://x/?key=ab%2Fcd%2Bef%3D%3D"],
  ["with its scheme in the secret", "Bearer open-sesame", "Bearer open-sesame", "you are open-sesame"],
])("a secret that the server says back is withheld %s", async (_name, value, secret, said) => {
  const { result } = await asked(
    { "api.example.com/a": () => new Response(said, { headers: { "content-type": "text/plain" } }) },
    { secretHeaders: { "x-key": { value, secret } } },
  );
  expect(result).toMatchObject({ ok: true, value: expect.stringContaining("[withheld]") as string });
  expect(JSON.stringify(result)).not.toMatch(/cd|open/);
});

test.each([301, 302])("%s behind a DELETE stays one: a GET would seem to have done it", async (status) => {
  const { sent } = await asked(
    { "api.example.com/a": to("/b", status), "api.example.com/b": () => Response.json(1) },
    { method: "DELETE" },
  );
  expect(sent.map(({ method }) => method)).toEqual(["DELETE", "DELETE"]);
  const put = await asked(
    { "api.example.com/a": to("/b", status), "api.example.com/b": () => Response.json(1) },
    { method: "PUT", body: "{}" },
  );
  expect(put.sent[1]).toMatchObject({ method: "PUT", body: "{}" });
  const post = await asked(
    { "api.example.com/a": to("/b", status), "api.example.com/b": () => Response.json(1) },
    { method: "POST", body: "{}" },
  );
  expect(post.sent[1]).toMatchObject({ method: "GET", body: undefined });
});

test("a text is read in the letters that it says it is written in", async () => {
  const latin = new Uint8Array([0x22, 0xe9, 0x74, 0xe9, 0x22]);
  for (const [type, read] of [
    ["application/json; charset=ISO-8859-1", '"été"'],
    ["text/plain; charset=never-heard-of", '"\ufffdt\ufffd"'],
  ] as const) {
    const { result } = await asked({
      "api.example.com/a": () => new Response(latin, { headers: { "content-type": type } }),
    });
    expect(result).toEqual({ ok: true, value: read });
  }
});

test("what is no text is not read", async () => {
  const { result } = await asked({
    "api.example.com/a": () => new Response(new Uint8Array(3), { headers: { "content-type": "image/png" } }),
  });
  expect(result).toMatchObject({ ok: false, error: { detail: "the server answered with no text" } });
});
