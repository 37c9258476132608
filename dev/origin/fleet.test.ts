import { describe, expect, test } from "vitest";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import document from "../../config/fleet.dev.json" with { type: "json" };
import { startFleet } from "./fleet.ts";
import { readOptions } from "./options.ts";
import { answerOf, chat, llama, post, withReplica } from "./testing.ts";

describe("the dev fleet's document", () => {
  test("is a fleet of two regions with two replicas each, one port after the other", () => {
    const fleet = fleetSchema.parse(document);
    expect(fleet.clusters.map(({ region }) => region)).toEqual(["us-east", "eu-west"]);
    expect(fleet.clusters.flatMap(({ replicas }) => replicas.map(({ url }) => url))).toEqual(
      [9101, 9102, 9103, 9104].map((port) => `http://127.0.0.1:${port}`),
    );
    expect(fleet.aliases["auto"]).toEqual({ models: ["llama-3.1-8b"] });
  });
});

describe("a started fleet", () => {
  test("gives the document with the addresses that it really has", async () => {
    const fleet = await startFleet({ basePort: 0, quiet: true });
    try {
      const urls = fleet.fleet.clusters.flatMap(({ replicas }) => replicas.map(({ url }) => url));
      expect(urls).toEqual(fleet.replicas.map(({ url }) => url));
      expect(new Set(urls).size).toBe(4);
      expect(fleetSchema.safeParse(fleet.fleet).success).toBe(true);
    } finally {
      await fleet.stop();
    }
  });

  test("says which port is taken, and leaves none open", async () => {
    const first = await startFleet({ basePort: 0, replicas: 1 });
    const port = Number(new URL(first.replicas[0]?.url ?? "").port);
    try {
      await expect(startFleet({ ports: [0, port] })).rejects.toMatchObject({ code: "EADDRINUSE", port });
    } finally {
      await first.stop();
    }
  });

  test("refuses connections while a replica is stopped, and answers at the same address after", async () => {
    await withReplica({}, async (replica) => {
      const { url } = replica;
      await replica.stop();
      await expect(fetch(`${url}/health`)).rejects.toThrow(/fetch failed/);
      await replica.start();
      expect((await fetch(`${url}/health`)).status).toBe(200);
    });
  });

  test("lists its models, its version and its health", async () => {
    await withReplica({}, async ({ url }) => {
      const models = (await (await fetch(`${url}/v1/models`)).json()) as { data: Record<string, unknown>[] };
      expect(models.data[0]).toMatchObject({ id: llama, object: "model", max_model_len: 32_768 });
      expect(await (await fetch(`${url}/version`)).json()).toHaveProperty("version");
      expect(await (await fetch(`${url}/health`)).text()).toBe("");
    });
  });
});

describe("the engine", () => {
  test("finds a prompt again in its prefix cache, and never under another salt", async () => {
    await withReplica({}, async (replica) => {
      const cached = async (more: Record<string, unknown>) =>
        (
          await answerOf(
            await post(replica, "/v1/chat/completions", chat("Tell me about rain. ".repeat(10), more)),
          )
        ).usage?.prompt_tokens_details?.cached_tokens ?? -1;
      expect(await cached({ cache_salt: "one" })).toBe(0);
      const again = await cached({ cache_salt: "one" });
      expect(again).toBeGreaterThan(32);
      expect(again % 16).toBe(0);
      expect(await cached({ cache_salt: "two" })).toBe(0);
      expect(await cached({})).toBe(0);
    });
  });

  test("tells of running, waiting, tokens and cache under vLLM's names", async () => {
    await withReplica({}, async (replica) => {
      const answer = await answerOf(await post(replica, "/v1/chat/completions", chat("Hello")));
      const metrics = await (await fetch(`${replica.url}/metrics`)).text();
      const label = `{engine="0",model_name="${llama}"}`;
      expect(metrics).toContain(`vllm:num_requests_running${label} 0\n`);
      expect(metrics).toContain(`vllm:num_requests_waiting${label} 0\n`);
      expect(metrics).toContain(`vllm:kv_cache_usage_perc${label} 0\n`);
      expect(metrics).toContain(`vllm:prompt_tokens_total${label} ${answer.usage?.prompt_tokens}\n`);
      expect(metrics).toContain(`vllm:generation_tokens_total${label} ${answer.usage?.completion_tokens}\n`);
      expect(metrics).toContain(`vllm:time_to_first_token_seconds_count${label} 1\n`);
      expect(metrics).toContain(`vllm:e2e_request_latency_seconds_count${label} 1\n`);
      expect(metrics).toContain(`vllm:prefix_cache_queries_total${label} ${answer.usage?.prompt_tokens}\n`);
    });
  });

  test("embeds texts so that like is near like, in both encodings", async () => {
    await withReplica({}, async (replica) => {
      const model = "BAAI/bge-small-en-v1.5";
      const input = ["the cat sat on the mat", "a cat on a mat", "stock prices fell"];
      const read = async (format: string) =>
        (
          (await (
            await post(replica, "/v1/embeddings", { model, input, encoding_format: format })
          ).json()) as {
            data: { embedding: number[] | string }[];
          }
        ).data.map(({ embedding }) =>
          typeof embedding === "string"
            ? [...new Float32Array(Uint8Array.from(Buffer.from(embedding, "base64")).buffer)]
            : embedding,
        );
      const [first = [], second = [], third = []] = await read("float");
      const dot = (left: number[], right: number[]) =>
        left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
      expect(dot(first, first)).toBeCloseTo(1, 5);
      expect(dot(first, second)).toBeGreaterThan(dot(first, third));
      expect((await read("base64"))[0]).toEqual(first);
    });
  });

  test("reranks by what the query asks for", async () => {
    await withReplica({}, async (replica) => {
      const body = {
        model: "BAAI/bge-reranker-v2-m3",
        query: "cats on mats",
        documents: ["dogs", "a cat on a mat"],
        top_n: 1,
      };
      const answer = (await (await post(replica, "/v1/rerank", body)).json()) as {
        results: { index: number }[];
      };
      expect(answer.results.map(({ index }) => index)).toEqual([1]);
    });
  });

  test("gives the text back from the tokens that it made of it", async () => {
    await withReplica({}, async (replica) => {
      const prompt = "Grüße, 世界! 12345 <|eot_id|> it's";
      const made = (await (await post(replica, "/tokenize", { model: llama, prompt })).json()) as {
        count: number;
        tokens: number[];
      };
      expect(made.count).toBe(made.tokens.length);
      const back = await post(replica, "/detokenize", { model: llama, tokens: made.tokens });
      expect(await back.json()).toEqual({ prompt: `<|begin_of_text|>${prompt}` });
    });
  });
});

describe("the command line", () => {
  test("takes a flag before a variable before the default", () => {
    expect(readOptions(["--port", "5"], { DEV_FLEET_PORT: "6", DEV_FLEET_TOKEN_MS: "0" })).toMatchObject({
      ok: true,
      value: { basePort: 5, tokenMs: 0, quiet: false },
    });
  });

  test.each([[["--port", "x"]], [["--slots", "0"]], [["--nonsense"]], [["--reasoning-field", "both ways"]]])(
    "refuses %j with a sentence",
    (argv) => {
      expect(readOptions(argv, {})).toMatchObject({ ok: false });
    },
  );
});
