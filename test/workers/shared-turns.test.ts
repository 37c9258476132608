/** When do equal requests without a key share a turn? Where the tenant wants it: a client's retry, and equal ones at once. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { changeStored, storedTurn } from "./generation-probe.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  claims: {},
  sharing: { requests: { dedup: true } },
  "sharing-tools": { requests: { dedup: true }, tools: { calculator: true, chat_completions: true } },
  retries: { requests: { retry_attach: true } },
});

const streamed = {
  model: "auto",
  max_tokens: 50,
  messages: [{ role: "user", content: "Hi" }],
  stream: true,
};

test("where the tenant wants it, the same body again attaches without a key; a conversation's does not", async () => {
  const authorization = await bearer("retries", "client");
  const first = await (await post("/v1/chat/completions", authorization, streamed)).text();
  const retry = await send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "x-stainless-retry-count": "1" },
    body: JSON.stringify(streamed),
  });
  expect(await retry.text()).toBe(first);
  expect(engine.asked).toHaveLength(1);
  await (await post("/v1/chat/completions", authorization, { ...streamed, seed: 7 })).text();
  expect(engine.asked).toHaveLength(2);
  const talk = { ...streamed, conversation_id: "yes" };
  for (let turn = 0; turn < 2; turn += 1)
    await (await post("/v1/chat/completions", authorization, talk)).text();
  expect(engine.asked).toHaveLength(4);
  await expectBill(authorization, 4, 48);
});

test("without that policy an equal body is a turn of its own", async () => {
  const authorization = await bearer("claims", "no-policy");
  await (await post("/v1/chat/completions", authorization, streamed)).text();
  await (await post("/v1/chat/completions", authorization, streamed)).text();
  expect(engine.asked).toHaveLength(2);
  await settled();
});

test("where the tenant wants it, equal requests at the same time share one generation, and Cache-Status says so", async () => {
  const authorization = await bearer("sharing", "client");
  const certain = { ...streamed, temperature: 0 };
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await post("/v1/chat/completions", authorization, certain);
      return { text: await response.text(), status: response.headers.get("cache-status") };
    }),
  );
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(engine.asked).toHaveLength(1);
  const misses = answers.filter(({ status }) => status === "edgewise; fwd=miss; detail=dedup");
  const hits = answers.filter(({ status }) => status === "edgewise; hit; detail=dedup");
  expect([misses.length, hits.length]).toEqual([1, 19]);
  await expectBill(authorization, 1, 12);
  for (const other of [streamed, streamed, { ...certain, max_tokens: 49 }])
    await (await post("/v1/chat/completions", authorization, other)).text();
  const theirs = await bearer("sharing", "other");
  await (await post("/v1/chat/completions", theirs, certain)).text();
  expect(engine.asked).toHaveLength(5);
  await settled();
});

test("what tools find out is asked anew: a moment later it may be another answer", async () => {
  const authorization = await bearer("sharing-tools", "client");
  for (let at = 0; at < 2; at += 1)
    await (await post("/v1/chat/completions", authorization, { ...streamed, temperature: 0 })).text();
  expect(engine.asked).toHaveLength(2);
  await settled();
});

test("the same words are asked as often as anybody likes, also where each answer is kept for weeks", async () => {
  const authorization = await bearer("retries", "greets");
  const asked = new Set<string>();
  for (let day = 0; day < 18; day += 1) {
    const response = await post("/v1/responses", authorization, { model: "auto", input: "Good morning" });
    expect(response.status).toBe(200);
    await response.text();
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    asked.add(id);
    const stub = env.GENERATION.getByName(id.slice("resp_".length, "resp_".length + 27));
    await eventually(() =>
      runInDurableObject(stub, (_object, state) => expect(storedTurn(state).outbox).toEqual([])),
    );
    await changeStored(stub, (stored) => {
      stored.createdMs -= 86_400_000;
      stored.endedMs = (stored.endedMs ?? 0) - 86_400_000;
    });
  }
  expect(asked.size).toBe(18);
  await settled();
  // Each of its turns is charged in a second of its own.
}, 180_000);
