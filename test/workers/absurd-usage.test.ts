/** An engine that counts what nobody can have asked: who asked pays the estimate, and his org can go on. */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ absurd: {} });

interface Bill {
  readonly user: {
    readonly used: { readonly requests: number; readonly tokens: number; readonly cost_usd: number };
    readonly reserved: { readonly tokens: number };
  };
}

test.each([
  ["a stream", { stream: true }, Number.MAX_SAFE_INTEGER],
  ["a whole answer", {}, Number.MAX_SAFE_INTEGER],
  ["a conversation's turn", { conversation_id: "absurd" }, Number.MAX_SAFE_INTEGER],
  ["a counter that fell below zero", {}, 2 ** 32 - 1],
])("%s is charged by the estimate, and whoever asks next is let in", async (_, more, tokens) => {
  const authorization = await bearer("absurd", crypto.randomUUID());
  const messages = [{ role: "user", content: "Hello" }];
  const body = { model: "auto", max_tokens: 20, messages, ...more };
  engine.promptTokens = tokens;
  const first = await post("/v1/chat/completions", authorization, body);
  expect(first.status).toBe(200);
  expect(await first.text()).not.toContain(String(tokens));
  await settled();
  engine.promptTokens = null;
  const second = await post("/v1/chat/completions", authorization, body);
  expect(second.status).toBe(200);
  await second.text();
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    const { user } = await usage.json<Bill>();
    expect(user).toMatchObject({ used: { requests: 2 }, reserved: { tokens: 0 } });
    expect(user.used.tokens).toBeLessThan(200);
  });
});
