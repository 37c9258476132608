/**
 * Batches on plain workerd, whose process is killed (SIGKILL) while they run, and started again on the same state: every line has one answer in one
 * file, and its user pays what the file says.
 */
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenFor, unique } from "../callers.ts";
import { startRestartedProduct, type RestartedProduct } from "./restarted-product.ts";

let product: RestartedProduct;
beforeAll(async () => {
  product = await startRestartedProduct({ ttftMs: 20, tokenMs: 2 });
});
afterAll(() => product.stop());

const count = 60;
const endpoints = [
  ["/v1/chat/completions", { model: "auto", max_tokens: 20, messages: [{ role: "user", content: "Count" }] }],
  ["/v1/embeddings", { model: "bge-small", input: ["One", "Two"] }],
  ["/v1/completions", { model: "llama-3.1-8b", prompt: "Once", max_tokens: 10 }],
] as const;

interface Line {
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly body: { readonly usage: OpenAI.CompletionUsage };
  };
}

async function usedBy(apiKey: string): Promise<{ requests: number; tokens: number; reserved: number }> {
  const usage = await fetch(`${product.url}/v1/usage`, { headers: { authorization: `Bearer ${apiKey}` } });
  const { user } = (await usage.json()) as {
    user: { used: { requests: number; tokens: number }; reserved: { tokens: number } };
  };
  return { ...user.used, reserved: user.reserved.tokens };
}

test.for(endpoints)(
  "killed three times, a batch of %s has one answer and one charge a line",
  async ([url, body]) => {
    const apiKey = await tokenFor({ user: unique("killed") });
    const client = new OpenAI({ baseURL: `${product.url}/v1`, apiKey });
    const names = Array.from({ length: count }, (_, at) => `line-${at}`);
    const lines = names.map((name) => JSON.stringify({ custom_id: name, method: "POST", url, body }));
    const file = await toFile(Buffer.from(lines.join("\n")), "in.jsonl");
    const input = await client.files.create({ file, purpose: "batch" });
    const { id } = await client.batches.create({
      input_file_id: input.id,
      endpoint: url,
      completion_window: "24h",
    });
    for (const least of [1, 10, 20]) {
      await expect
        .poll(async () => (await client.batches.retrieve(id)).request_counts?.completed)
        .toBeGreaterThanOrEqual(least);
      await product.kill();
      await product.start();
    }
    // What was under way at the last kill is looked for first.
    await expect
      .poll(async () => (await client.batches.retrieve(id)).status, { timeout: 120_000 })
      .toBe("completed");
    const batch = await client.batches.retrieve(id);
    expect(batch.request_counts).toEqual({ total: count, completed: count, failed: 0 });
    const text = await (await client.files.content(batch.output_file_id ?? "")).text();
    const told = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(told.map((line) => line.custom_id).sort()).toEqual(names.toSorted());
    const tokens = told.reduce((sum, { response }) => sum + response.body.usage.total_tokens, 0);
    await expect.poll(() => usedBy(apiKey)).toMatchObject({ tokens, reserved: 0 });
    // Its file and what made the batch count as one each; of those the kill may have come ahead.
    const { requests } = await usedBy(apiKey);
    expect(requests - count).toBeGreaterThanOrEqual(0);
    expect(requests - count).toBeLessThanOrEqual(2);
  },
);
