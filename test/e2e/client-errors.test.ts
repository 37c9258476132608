/** What the official client throws, by class, when the product refuses; and what it does by itself (retries, waits). */
import {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  OpenAI,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
import { afterEach, describe, expect, test } from "vitest";
import { makeToken } from "../../dev/commands/local-token.ts";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, post, replicas, setFaults, tokenFor, url } from "./product.ts";

const messages = [{ role: "user" as const, content: "Hello" }];

async function thrownBy(work: Promise<unknown>): Promise<APIError> {
  const error: unknown = await work.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  if (!(error instanceof APIError)) throw error;
  if (hasOpenAiSchema) expect(openAiComplaints("Error", error.error)).toEqual([]);
  expect(error.requestID).toBeTruthy();
  return error;
}

describe("a wrong credential is an AuthenticationError", () => {
  const wrong = {
    "no token at all": "nonsense",
    "a token of another key": async () => (await tokenFor()).replace(/\.[^.]+$/, `.${"A".repeat(43)}`),
    "a token without a signature": async () => (await tokenFor()).replace(/\.[^.]+$/, "."),
    "an API key that was never made": "sk-edgewise-0123456789",
  };
  test.each(Object.entries(wrong))("%s", async (_, credential) => {
    const apiKey = typeof credential === "string" ? credential : await credential();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
    const error = await thrownBy(client.chat.completions.create({ model: "auto", messages }));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(["invalid_api_key", "invalid_token"]).toContain(error.code);
    expect(error.headers?.get("www-authenticate")).toMatch(/^Bearer /);
  });

  test("none", async () => {
    const response = await fetch(`${url}/v1/models`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="edgewise"');
    expect(await response.json()).toMatchObject({ error: { code: "invalid_api_key", param: null } });
  });
});

test("a credential of the platform may not chat: PermissionDeniedError", async () => {
  const apiKey = await makeToken(["--platform", "--scope", "platform:admin"]);
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
  const error = await thrownBy(client.chat.completions.create({ model: "auto", messages }));
  expect(error).toBeInstanceOf(PermissionDeniedError);
  expect(error.code).toBe("insufficient_scope");
});

describe("a wrong request is a BadRequestError that names the field", () => {
  test.each([
    { param: "temperature", body: { temperature: 3 } },
    { param: "messages", body: { messages: [] } },
    { param: "messages[0].role", body: { messages: [{ role: "wizard", content: "x" }] } },
    { param: "stream_options", body: { stream_options: { include_usage: true } } },
    { param: "cache_salt", body: { cache_salt: "mine" } },
    { param: "nonsense", body: { nonsense: 1 } },
    { param: "tool_choice", body: { tool_choice: "required" } },
  ])("$param", async ({ param, body }) => {
    const client = await clientFor();
    const request = { model: "auto", messages, ...body } as OpenAI.ChatCompletionCreateParamsNonStreaming;
    const error = await thrownBy(client.chat.completions.create(request));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.param).toBe(param);
    expect(error.type).toBe("invalid_request_error");
  });

  test("a prompt over the window says so, with OpenAI's code", async () => {
    const client = await clientFor({ tier: "enterprise" });
    const long = [{ role: "user" as const, content: "quantum ".repeat(60_000) }];
    const error = await thrownBy(client.chat.completions.create({ model: "auto", messages: long }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.code).toBe("context_length_exceeded");
  });

  test("a schema that the engine can't compile is told by its field, in the words of each API", async () => {
    const client = await clientFor();
    const schema = { type: "object", properties: { a: { type: "wizard" } } };
    const json_schema = { name: "n", schema };
    const ofChat = await thrownBy(
      client.chat.completions.create({
        model: "auto",
        messages,
        response_format: { type: "json_schema", json_schema },
      }),
    );
    expect(ofChat).toMatchObject({ status: 400, code: "request_rejected", param: "response_format" });
    const ofResponse = await thrownBy(
      client.responses.create({
        model: "auto",
        input: "Hello",
        text: { format: { type: "json_schema", ...json_schema } },
      }),
    );
    expect(ofResponse).toMatchObject({ status: 400, code: "request_rejected", param: "text.format" });
  });

  test("an image for a model that does not see", async () => {
    const client = await clientFor();
    const content = [
      { type: "image_url" as const, image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
    ];
    const error = await thrownBy(
      client.chat.completions.create({ model: "llama-3.1-8b", messages: [{ role: "user", content }] }),
    );
    expect(error).toBeInstanceOf(BadRequestError);
  });
});

test("an unknown model is a NotFoundError with OpenAI's code", async () => {
  const client = await clientFor();
  const error = await thrownBy(client.chat.completions.create({ model: "gpt-4o", messages }));
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ code: "model_not_found", param: "model" });
});

test.each([
  { what: "an unknown path", path: "/v1/nothing", init: {}, status: 404, code: "unknown_url" },
  {
    what: "a wrong method",
    path: "/v1/chat/completions",
    init: { method: "PUT" },
    status: 405,
    code: "method_not_allowed",
  },
])("$what is $status in OpenAI's form", async ({ path, init, status, code }) => {
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${await tokenFor()}` },
    ...init,
  });
  expect(response.status).toBe(status);
  const body: unknown = await response.json();
  expect(body).toMatchObject({ error: { code } });
  if (status === 405) expect(response.headers.get("allow")).toContain("POST");
});

test.each([
  { what: "no JSON", body: "{", headers: {}, status: 400, code: "invalid_json" },
  {
    what: "no JSON by its type",
    body: "{}",
    headers: { "content-type": "text/plain" },
    status: 415,
    code: "unsupported_media_type",
  },
  {
    what: "over the limit",
    body: `{"model":"auto","messages":[{"role":"user","content":"${"x".repeat(2_200_000)}"}]}`,
    headers: {},
    status: 413,
    code: "request_too_large",
  },
])("a body that is $what is $status", async ({ body, headers, status, code }) => {
  const response = await post("/v1/chat/completions", await tokenFor(), body, headers);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
});

describe("the client's own retries", () => {
  afterEach(() => Promise.all(replicas.map((replica) => setFaults(replica))));

  test("don't hammer where every replica is down, and end as an error with Retry-After", async () => {
    for (const replica of replicas) await setFaults(replica, { fault: "status", status: 500 });
    const client = await clientFor();
    const error = await thrownBy(client.chat.completions.create({ model: "auto", messages }));
    expect(error.status).toBe(503);
    expect(error.code).toBe("service_unavailable");
    expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
    expect(error.message).not.toContain("EngineCore");
  });

  test("succeed once the fleet is back", async () => {
    for (const replica of replicas) await setFaults(replica);
    const client = await clientFor({}, 5);
    const answer = await client.chat.completions.create({ model: "auto", messages });
    expect(answer.choices).toHaveLength(1);
  });

  test("leave a quota alone: the free tier's 101st request of an hour is told once, and not sent again", async () => {
    const client = await clientFor({ tier: "free" }, 4);
    const quick = { model: "auto", messages, max_tokens: 1 };
    const first = await Promise.allSettled(
      Array.from({ length: 100 }, () => client.chat.completions.create(quick)),
    );
    expect(first.filter(({ status }) => status === "rejected")).toEqual([]);
    let sent = 0;
    const counting = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey: client.apiKey,
      maxRetries: 4,
      fetch: (input, init) => {
        sent += 1;
        return fetch(input, init);
      },
    });
    // Where the hundred took over 36 s, one has come back.
    const untilRefused = async () => {
      for (;;) {
        sent = 0;
        await counting.chat.completions.create(quick);
      }
    };
    const error = await thrownBy(untilRefused());
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ code: "insufficient_quota", type: "insufficient_quota" });
    expect(error.message).toContain("requests_per_hour of your user is 100 requests");
    expect(sent).toBe(1);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    // An hour has 100, so that one comes back every 36 s.
    expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(error.headers?.get("retry-after"))).toBeLessThanOrEqual(36);
    expect(Number(error.headers?.get("retry-after-ms"))).toBeLessThanOrEqual(36_000);
    expect(error.headers?.get("x-ratelimit-limit-requests")).toBe("100");
    expect(error.headers?.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(error.headers?.get("x-ratelimit-reset-requests")).toMatch(/^(1h0m0s|5\dm)/);
  });

  test("are told a short rate limit as such, and what would fit now", async () => {
    // A minute of the free tier has 60,000 tokens.
    const client = await clientFor({ tier: "free" });
    const long = { model: "auto", messages: [{ role: "user" as const, content: "a word ".repeat(12_000) }] };
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => client.chat.completions.create(long)));
    const errors = results.flatMap((one) => (one.status === "rejected" ? [one.reason as APIError] : []));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThan(4);
    for (const error of errors) {
      expect(error).toBeInstanceOf(RateLimitError);
      expect(error).toMatchObject({ code: "rate_limit_exceeded", type: "tokens" });
      expect(error.message).toMatch(/max_tokens/);
      expect(error.headers?.get("x-ratelimit-limit-tokens")).toBe("60000");
    }
  });
});
