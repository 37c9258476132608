/** Usage receipts as a client gets and checks them, inside workerd. */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { freeOfCharge, microdollarsFor } from "../../src/shared/limits/cost.ts";
import type { ReceiptClaims } from "../../src/shared/receipts/receipt.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { fetched, verified } from "./receipt-reading.ts";

const engine = scriptedEdge({
  billed: {
    receipts: "on",
    safety: { input: { action: "flag" }, output: { action: "flag" } },
  },
  unbilled: {},
});

interface Carrier {
  readonly edgewise?: { readonly receipt: string };
  readonly choices?: readonly unknown[];
  readonly usage?: { readonly completion_tokens: number; readonly cost: number } | null;
}

const say = (more: object = {}) => ({
  model: "auto",
  max_tokens: 50,
  temperature: 1,
  messages: [{ role: "user", content: "Write to ann@example.com" }],
  ...more,
});

function events(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length));
}

/** The receipt of a stream's last JSON event; no other event has one. */
function receiptOf(text: string): string {
  const data = events(text).filter((one) => one !== "[DONE]");
  const carriers = data.map((one) => (JSON.parse(one) as Carrier).edgewise?.receipt);
  expect(carriers.slice(0, -1).every((receipt) => receipt === undefined)).toBe(true);
  return carriers.at(-1) ?? "";
}

describe("a direct answer's receipt", () => {
  it("is in the usage chunk, or else in the last chunk, or in the text format's last event", async () => {
    const ann = await bearer("billed", "ann");
    for (const more of [{ stream_options: { include_usage: true } }, {}, { stream_format: "text" }]) {
      const response = await post("/v1/chat/completions", ann, say({ stream: true, ...more }));
      const text = await response.text();
      const claims = await verified(receiptOf(text));
      expect(claims).toMatchObject({
        iss: "edgewise",
        jti: response.headers.get("x-edgewise-response-id"),
        tenant: "billed",
        user: "ann",
        status: "completed",
        model: "llama-3.1-8b",
        usage: { prompt_tokens: 10, completion_tokens: 2, cached_tokens: 0, reasoning_tokens: 0 },
        usage_basis: "exact",
        attempts: 1,
        guards: { prompt: "email:1", answer: null },
      });
      expect(claims.price?.version).not.toBe("");
      expect(claims.cost).toBeGreaterThan(0);
      if ("stream_format" in more) expect(text).not.toContain("[DONE]");
      else expect(events(text).at(-1)).toBe("[DONE]");
    }
  });

  it("stands beside the usage of an answer that does not stream, and says the same cost", async () => {
    const response = await post("/v1/chat/completions", await bearer("billed", "ann"), say());
    const body = (await response.json()) as Carrier;
    const claims = await verified(body.edgewise?.receipt ?? "");
    expect(claims.usage.completion_tokens).toBe(body.usage?.completion_tokens);
    expect(Math.abs((claims.cost ?? 0) - (body.usage?.cost ?? 0))).toBeLessThan(0.000001);
  });

  it("is in the answer alone: asked for by its id, there is none", async () => {
    const ann = await bearer("billed", "ann");
    const response = await post("/v1/chat/completions", ann, say({ stream: true }));
    await response.text();
    expect((await fetched(ann, response.headers.get("x-edgewise-response-id") ?? "")).status).toBe(404);
  });

  it("is not there where the tenant wants none", async () => {
    const response = await post(
      "/v1/chat/completions",
      await bearer("unbilled", "ann"),
      say({ stream: true }),
    );
    expect(await response.text()).not.toContain("edgewise");
  });
});

describe("a stored answer's receipt", () => {
  async function stored(user: string, more: object = {}) {
    const authorization = await bearer("billed", user);
    const response = await post(
      "/v1/chat/completions",
      authorization,
      say({ store: true, stream: true, ...more }),
    );
    const text = await response.text();
    await settled();
    return { authorization, text, id: response.headers.get("x-edgewise-response-id") ?? "" };
  }

  it("is in its last event, in the stored answer, and fetched by its id: the same bytes", async () => {
    const { authorization, text, id } = await stored("ann-2");
    const receipt = receiptOf(text);
    const claims = await verified(receipt);
    expect(claims).toMatchObject({ jti: id, guards: { prompt: "email:1" }, attempts: 1 });
    const got = await fetched(authorization, id);
    expect(await got.json()).toEqual({ id, object: "usage.receipt", receipt, claims });
    const whole = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
    expect(await whole.json()).toMatchObject({ edgewise: { receipt } });
    const replayed = await send(`/v1/chat/completions/${id}?stream=true`, { headers: { authorization } });
    expect(receiptOf(await replayed.text())).toBe(receipt);
  });

  it("is its owner's alone: another's, an unknown and a deleted one are the same 404", async () => {
    const { authorization, id } = await stored("ann-3");
    const bob = await bearer("billed", "bob");
    const theirs = await fetched(bob, id);
    const none = await fetched(bob, `${id.slice(0, -1)}x`);
    expect([theirs.status, none.status]).toEqual([404, 404]);
    expect(await theirs.json()).toEqual(await none.json());
    expect(
      (await send(`/v1/chat/completions/${id}`, { method: "DELETE", headers: { authorization } })).status,
    ).toBe(200);
    expect((await fetched(authorization, id)).status).toBe(404);
  });

  it("of an answer that is still being written comes with its end, and says what was delivered to a cancelled one", async () => {
    const gate = Promise.withResolvers<void>();
    engine.pause = { at: 1, until: gate.promise };
    const authorization = await bearer("billed", "ann-4");
    const response = await post("/v1/chat/completions", authorization, say({ store: true, stream: true }));
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    const reading = response.text();
    expect((await fetched(authorization, id)).status).toBe(409);
    const cancelled = await send(`/v1/chat/completions/${id}/cancel`, {
      method: "POST",
      headers: { authorization },
    });
    expect(cancelled.status).toBe(200);
    gate.resolve();
    engine.pause = null;
    await reading;
    const body = (await (await fetched(authorization, id)).json()) as {
      receipt: string;
      claims: ReceiptClaims;
    };
    expect(await verified(body.receipt)).toEqual(body.claims);
    const { usage, cost, price } = body.claims;
    expect(body.claims).toMatchObject({
      jti: id,
      status: "cancelled",
      attempts: null,
      usage: { completion_tokens: 1 },
    });
    // It was charged by the price that its run knew, as everything says that tells of it.
    expect(price).toMatchObject({ version: expect.any(String) as string });
    expect(cost).toBe(
      microdollarsFor(price ?? freeOfCharge, usage.prompt_tokens, usage.completion_tokens) / 1_000_000,
    );
    expect(cost).toBeGreaterThan(0);
    const kept = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
    expect(await kept.json()).toMatchObject({ usage: { completion_tokens: 1, cost } });
    await settled();
    await eventually(async () => {
      const bill = await send("/v1/usage", { headers: { authorization } });
      expect(await bill.json()).toMatchObject({
        user: { used: { tokens: usage.prompt_tokens + 1, cost_usd: cost } },
      });
    });
  });

  it("is not there in turns of older code, which kept none", async () => {
    const { authorization, id } = await stored("ann-5");
    const name = id.slice("chatcmpl-".length, "chatcmpl-".length + 27);
    await runInDurableObject(env.GENERATION.getByName(name), (_object, state) => {
      const { receipt: _receipt, ...older } = state.storage.kv.get<Record<string, unknown>>("turn") ?? {};
      state.storage.kv.put("turn", older);
    });
    await abortAllDurableObjects();
    expect((await fetched(authorization, id)).status).toBe(404);
  });
});
