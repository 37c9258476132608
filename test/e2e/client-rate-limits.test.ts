/** What the official client does by itself, as it comes (two retries), when a limit is reached: waits where that helps, and only there. */
import { OpenAI, RateLimitError } from "openai";
import { expect, test } from "vitest";
import { makeToken } from "../../dev/local-token.ts";
import { unique, url } from "./product.ts";

interface Told {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly retryAfter: number;
  readonly shouldRetry: string | null;
}

const quick = { model: "auto", messages: [{ role: "user" as const, content: "Hello" }], max_tokens: 1 };

/** The official client without a setting of ours, with an API key that has limits of its own; and what it was told. */
async function clientWith(limits: Readonly<Record<string, number>>) {
  const admin = await makeToken(["--tenant", "demo", "--user", unique("admin"), "--scope", "tenant:admin"]);
  const response = await fetch(`${url}/admin/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "limited", tier: "pro", org: unique("o"), limits }),
  });
  expect(response.ok).toBe(true);
  const { value } = (await response.json()) as { readonly value: string };
  const told: Told[] = [];
  const client = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: value,
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      told.push({
        status: answer.status,
        retryAfterMs: Number(answer.headers.get("retry-after-ms")),
        retryAfter: Number(answer.headers.get("retry-after")),
        shouldRetry: answer.headers.get("x-should-retry"),
      });
      return answer;
    },
  });
  expect(client.maxRetries).toBe(2);
  return { client, told };
}

test("one request over a limit that refills every second: the client waits as told, and nobody notices", async () => {
  const { client, told } = await clientWith({ requests_per_minute: 60 });
  const answers = await Promise.all(Array.from({ length: 61 }, () => client.chat.completions.create(quick)));
  expect(answers).toHaveLength(61);
  const refused = told.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(1);
  for (const { retryAfterMs, retryAfter, shouldRetry } of refused) {
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(retryAfter).toBe(1);
    expect(shouldRetry).toBeNull();
  }
});

test("a wait of some seconds is slept once, and is enough", async () => {
  const { client, told } = await clientWith({ requests_per_minute: 20 });
  await Promise.all(Array.from({ length: 20 }, () => client.chat.completions.create(quick)));
  await client.chat.completions.create(quick);
  const last = told.slice(20);
  expect(last.map(({ status }) => status)).toEqual([429, 200]);
  expect(last[0]?.retryAfterMs).toBeLessThanOrEqual(3_000);
}, 20_000);

test("a wait over 30 s is not slept: the error comes at once, and says how long", async () => {
  const { client, told } = await clientWith({ requests_per_minute: 1 });
  await client.chat.completions.create(quick);
  const error: unknown = await client.chat.completions.create(quick).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ code: "rate_limit_exceeded", type: "requests" });
  expect((error as RateLimitError).message).toContain(
    "requests_per_minute of your API key is 1 requests, 0 left. The same request is let in again in ",
  );
  expect(told.map(({ status }) => status)).toEqual([200, 429]);
  expect(told[1]).toMatchObject({ retryAfter: 60, shouldRetry: "false" });
});

test("an hour's quota is not slept, however short the wait for the next request would be", async () => {
  const { client, told } = await clientWith({ requests_per_hour: 180 });
  const all = await Promise.allSettled(
    Array.from({ length: 181 }, () => client.chat.completions.create(quick)),
  );
  const [refused, ...others] = all.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(others).toEqual([]);
  expect(refused).toMatchObject({ code: "insufficient_quota" });
  expect(told.filter(({ status }) => status === 429)).toMatchObject([
    { retryAfter: expect.any(Number) as number, shouldRetry: "false" },
  ]);
}, 60_000);
