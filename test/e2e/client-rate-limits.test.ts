/** What the official client does by itself, as it comes (two retries), when a limit is reached: waits where that helps, and only there. */
import { OpenAI, RateLimitError } from "openai";
import { expect, test } from "vitest";
import { makeToken } from "../../dev/commands/local-token.ts";
import { unique, url } from "./product.ts";

interface Told {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly retryAfter: number;
  readonly shouldRetry: string | null;
}

const quick = { model: "auto", messages: [{ role: "user" as const, content: "Hello" }], max_tokens: 1 };

type Limited = Awaited<ReturnType<typeof clientWith>>;

/**
 * So many at once, then one after the other until one is refused. A limit refills while they are asked, by how many depends on
 * the machine: how many are let in is the bucket's own tests' business.
 */
async function useUp({ client, told }: Limited, limit: number): Promise<void> {
  await Promise.all(Array.from({ length: limit }, () => client.chat.completions.create(quick)));
  while (told.every(({ status }) => status !== 429)) await client.chat.completions.create(quick);
}

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
  const limited = await clientWith({ requests_per_minute: 60 });
  await useUp(limited, 60);
  const refused = limited.told.filter(({ status }) => status === 429);
  for (const { retryAfterMs, retryAfter, shouldRetry } of refused) {
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(retryAfter).toBe(1);
    expect(shouldRetry).toBeNull();
  }
});

test("a wait of some seconds is slept once, and is enough", async () => {
  const limited = await clientWith({ requests_per_minute: 20 });
  await useUp(limited, 20);
  const last = limited.told.slice(-2);
  expect(last.map(({ status }) => status)).toEqual([429, 200]);
  expect(last[0]?.retryAfterMs).toBeGreaterThan(0);
  expect(last[0]?.retryAfterMs).toBeLessThanOrEqual(3_000);
});

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
  expect(told[1]?.shouldRetry).toBe("false");
  expect(told[1]?.retryAfter).toBeGreaterThan(30);
  expect(told[1]?.retryAfter).toBeLessThanOrEqual(60);
});

test("an hour's quota is not slept, however short the wait for the next request would be", async () => {
  // One comes back every 20 s.
  const limited = await clientWith({ requests_per_hour: 180 });
  await expect(useUp(limited, 180)).rejects.toMatchObject({ code: "insufficient_quota" });
  const refused = limited.told.filter(({ status }) => status === 429);
  expect(refused).toMatchObject([{ shouldRetry: "false" }]);
  expect(refused[0]?.retryAfter).toBeLessThanOrEqual(20);
});
