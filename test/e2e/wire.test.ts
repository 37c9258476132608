/** What crosses the line between client, edge and engine: ids, headers, formats, and what may never cross. */
import { afterEach, describe, expect, test } from "vitest";
import { dataOf, logLineOf, post, received, setSpeed, tokenFor, unique, until } from "./product.ts";

const path = "/v1/chat/completions";
const hello = { model: "auto", messages: [{ role: "user", content: "Hello" }] };

describe("correlation", () => {
  test("the request's ids go in, out, to the origin and to the log line, which holds no content", async () => {
    const requestId = unique("req");
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const secret = unique("secret-text");
    const response = await post(
      path,
      await tokenFor(),
      { ...hello, messages: [{ role: "user", content: secret }] },
      { "x-request-id": requestId, traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    );
    const { usage } = (await response.json()) as { usage: { completion_tokens: number } };
    expect(response.headers.get("x-request-id")).toBe(requestId);
    const [record] = await received(requestId);
    expect(record?.headers["traceparent"]).toMatch(
      new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
    );
    expect(response.headers.get("traceparent")).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    const line = await until(() => logLineOf(requestId));
    expect(line).toMatchObject({
      status: 200,
      tenant: "demo",
      model: "llama-3.1-8b",
      traceId,
      completionTokens: usage.completion_tokens,
    });
    expect(line["cluster"]).toMatch(/us-east|eu-west/);
    expect(Object.keys(line["stages"] as object)).toEqual(
      expect.arrayContaining(["identify", "admit", "dispatch"]),
    );
    expect(JSON.stringify(line)).not.toContain(secret);
  });

  test.each(["a b", "x".repeat(129), "ü", "<script>\u0001"])(
    "an id that is out of form (%j) is replaced",
    async (bad) => {
      const response = await post(path, await tokenFor(), hello, {
        "x-request-id": Buffer.from(bad).toString("latin1"),
      }).catch(() => undefined);
      // Some of them no HTTP client can send at all.
      if (response === undefined) return;
      await response.text();
      expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
    },
  );

  test("x-correlation-id does as well, and a broken traceparent begins a new trace", async () => {
    const correlationId = unique("corr");
    const response = await post(path, await tokenFor(), hello, {
      "x-correlation-id": correlationId,
      traceparent: "00-zz-zz-01",
    });
    await response.text();
    expect(response.headers.get("x-request-id")).toBe(correlationId);
    expect(response.headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});

test("requests that share an x-request-id are all answered: the engine gets an id of each one's own", async () => {
  const requestId = unique("shared");
  const token = await tokenFor();
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => post(path, token, hello, { "x-request-id": requestId })),
  );
  await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const ids = (await received(requestId)).map(({ headers }) => headers["x-request-id"]);
  // One that is late may be asked of a second replica: under an id of its own, too.
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(12);
});

test("headers to the origin are rebuilt: nothing that the client sent is among them", async () => {
  const requestId = unique("req");
  const token = await tokenFor();
  const sent = {
    "x-request-id": requestId,
    cookie: "session=leak",
    "x-forwarded-for": "203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "cf-connecting-ip": "203.0.113.9",
    "cf-access-client-secret": "leak",
    "user-agent": "leak/1.0",
    "x-api-key": "leak",
    "openai-organization": "leak",
    "x-stainless-lang": "leak",
    tracestate: "leak=1",
    baggage: "leak=1",
    forwarded: "for=leak",
    "x-vllm-priority": "leak",
    "accept-language": "leak",
  };
  await (await post(path, token, hello, sent)).text();
  const [record] = await received(requestId);
  const headers = JSON.stringify(record?.headers);
  expect(headers).not.toContain("leak");
  expect(headers).not.toContain("203.0.113.9");
  expect(headers).not.toContain(token);
  expect(Object.keys(record?.headers ?? {}).toSorted()).toEqual(
    [
      "accept",
      ...(record?.headers["cf-worker"] === undefined ? [] : ["cf-worker"]),
      "content-length",
      "content-type",
      "host",
      "traceparent",
      "user-agent",
      "x-request-id",
    ].toSorted(),
  );
});

test("every answer is one caller's own: not to be kept by anything on the way", async () => {
  const response = await post(path, await tokenFor(), hello);
  await response.text();
  expect(response.headers.get("cache-control")).toContain("no-store");
  expect(response.headers.get("x-edgewise-response-id")).toMatch(/^chatcmpl-/);
  expect(response.headers.get("server-timing")).toContain("admit;dur=");
  for (const name of ["limit", "remaining", "reset"])
    for (const unit of ["requests", "tokens"])
      expect(response.headers.get(`x-ratelimit-${name}-${unit}`)).toBeTruthy();
});

describe("stream_format text", () => {
  test("has OpenAI's text in plain events, the billed tokens in the last, and no [DONE]", async () => {
    const token = await tokenFor();
    const whole = (await (await post(path, token, hello)).json()) as {
      choices: [{ message: { content: string } }];
      usage: { completion_tokens: number };
    };
    const response = await post(path, token, { ...hello, stream: true, stream_format: "text" });
    const events = dataOf(await response.text()).map((event) => JSON.parse(event) as TextEvent);
    expect(events.map(({ text }) => text).join("")).toBe(whole.choices[0].message.content);
    expect(events.slice(0, -1).every(({ done }) => !done)).toBe(true);
    expect(events.at(-1)).toMatchObject({
      text: "",
      done: true,
      tokens: whole.usage.completion_tokens,
      finish_reason: "stop",
    });
  });

  test("without stream: true is refused by name", async () => {
    const response = await post(path, await tokenFor(), { ...hello, stream_format: "text" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: "stream_format" } });
  });
});

interface TextEvent {
  readonly text: string;
  readonly done: boolean;
  readonly tokens?: number;
}

describe("a silent engine", () => {
  afterEach(() => setSpeed({ ttft_ms: 0, token_ms: 0 }));

  test("is bridged by keep-alives after 15 s", async () => {
    await setSpeed({ token_ms: 17_000 });
    const response = await post(path, await tokenFor(), { ...hello, stream: true, max_tokens: 2 });
    const text = await response.text();
    expect(text).toContain(": keep-alive\n\n");
    expect(dataOf(text).at(-1)).toBe("[DONE]");
  });

  test("is bridged for whoever waits for the turn before his own, too", async () => {
    const token = await tokenFor();
    const conversation = unique("waits");
    await setSpeed({ token_ms: 1_000 });
    const turn = { ...hello, stream: true, conversation_id: conversation };
    const before = await post(path, token, {
      ...turn,
      messages: [{ role: "user", content: "Write 100 words" }],
      max_tokens: 100,
    });
    const next = post(path, token, { ...turn, max_tokens: 1 });
    const last = post("/v1/responses", token, {
      model: "auto",
      input: "Hello",
      conversation,
      stream: true,
      max_output_tokens: 1,
    });
    // Both begin with what bridges their wait, however long it is.
    const [answer, response] = await Promise.all([next, last]);
    await setSpeed({ token_ms: 0 });
    expect(answer.headers.get("x-edgewise-response-id")).toMatch(/^chatcmpl-/);
    expect(response.headers.get("x-edgewise-response-id")).toMatch(/^resp_/);
    const [, text, events] = await Promise.all([before.text(), answer.text(), response.text()]);
    for (const waited of [text, events]) expect(waited).toMatch(/^: keep-alive\n\n/);
    expect(text).toContain(`"id":"${answer.headers.get("x-edgewise-response-id")}"`);
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(events).toContain("event: response.incomplete\n");
  });
});

test("what only the edge may say to the engine is never taken from a client", async () => {
  for (const field of ["cache_salt", "priority", "request_id", "kv_transfer_params", "chat_template"]) {
    const response = await post(path, await tokenFor(), { ...hello, [field]: "x" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: field } });
  }
  const requestId = unique("req");
  await (await post(path, await tokenFor(), hello, { "x-request-id": requestId })).text();
  const [record] = await received(requestId);
  expect(record?.body).toMatchObject({ cache_salt: expect.stringMatching(/^[a-z0-9]{26}$/) });
});
