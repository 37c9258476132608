/** Is a question in other words answered from the cache, as the official client sees it, without a word of a model? */
import OpenAI, { APIError } from "openai";
import { expect, test } from "vitest";
import { makeToken } from "../../dev/commands/local-token.ts";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { received, unique, until, url } from "./product.ts";

async function admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await makeToken(["--platform", "--scope", "platform:admin"])}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Record<string, unknown>;
}

/** The official client of a new user of a new tenant with these settings. */
async function clientOf(cache: object): Promise<{ client: OpenAI; tenant: string; user: string }> {
  const tenant = unique("t");
  await admin("PUT", `/admin/tenants/${tenant}`, {
    id: tenant,
    issuers: [
      {
        issuer: `https://${tenant}.test`,
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "DEMO_JWT_SECRET" },
      },
    ],
    keys: { tiers: ["enterprise"] },
    cache,
  });
  const user = unique("u");
  const key = await admin("POST", "/admin/keys", { name: "test", tenant, user });
  return {
    client: new OpenAI({ baseURL: `${url}/v1`, apiKey: String(key["value"]), maxRetries: 0 }),
    tenant,
    user,
  };
}

function chat(content: string): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return { model: "auto", temperature: 0, messages: [{ role: "user", content }] };
}

/**
 * What is stored is stored behind the answer: asks for a stored answer alone until there is one. It waits longer for it, too, than 20 ms
 * on a busy machine, and stores nothing that would be the next one's exact hit.
 */
function hit(client: OpenAI, content: string) {
  return until(async () => {
    const requestId = unique("req");
    const headers = { "x-request-id": requestId, "cache-control": "only-if-cached" };
    try {
      const { data, response } = await client.chat.completions
        .create(chat(content), { headers })
        .withResponse();
      expect(response.headers.get("cache-status")).toMatch(/^edgewise; hit; ttl=\d+; detail=semantic$/);
      return { data, requestId };
    } catch (error) {
      if (error instanceof APIError && error.status === 504) return undefined;
      throw error;
    }
  });
}

test("the client is answered from the cache, whole and as a stream, in OpenAI's own form", async () => {
  const { client, tenant, user } = await clientOf({ semantic: { mode: "on" } });
  const first = await client.chat.completions.create(chat("What is the capital of France?"));
  const { data, requestId } = await hit(client, "which is the capital of france");
  expect(data.choices[0]?.message.content).toBe(first.choices[0]?.message.content);
  expect(data.id).not.toBe(first.id);
  expect(await received(requestId)).toEqual([]);
  if (hasOpenAiSchema) expect(openAiComplaints("CreateChatCompletionResponse", data)).toEqual([]);

  const streamed = await client.chat.completions
    .create(
      { ...chat("what's the capital of France ?"), stream: true },
      { headers: { "cache-control": "only-if-cached" } },
    )
    .withResponse();
  let stream = "";
  for await (const chunk of streamed.data) stream += chunk.choices[0]?.delta.content ?? "";
  expect(streamed.response.headers.get("cache-status")).toContain("detail=semantic");
  expect(stream).toBe(first.choices[0]?.message.content);

  const spain = await client.chat.completions.create(chat("What is the capital of Spain?")).withResponse();
  expect(spain.response.headers.get("cache-status")).toMatch(/^edgewise; fwd=miss/);

  expect(await admin("DELETE", `/admin/semantic_cache?tenant=${tenant}&user=${user}`)).toEqual({
    object: "semantic_cache.erased",
    tenant,
    user,
    pending: 0,
  });
  const { response } = await client.chat.completions
    .create(chat("Which are the capital of France"))
    .withResponse();
  expect(response.headers.get("cache-status")).toMatch(/^edgewise; fwd=miss/);
});

test("with a model of the fleet as the embedder questions are compared by its vectors", async () => {
  const { client } = await clientOf({
    semantic: { mode: "on", embedder: { model: "bge-small" }, threshold: 0.6 },
  });
  const first = await client.chat.completions.create(
    chat("How do I remove a coffee stain from a white shirt?"),
  );
  const { data } = await hit(client, "How can I remove a coffee stain from a white cotton shirt?");
  expect(data.choices[0]?.message.content).toBe(first.choices[0]?.message.content);
});
