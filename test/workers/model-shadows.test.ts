/** A shadow answers beside the turn: nobody waits for it, pays for it or hears of it. */
import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { fakeEngine } from "./fake-engine.ts";
import { asked, charged, chat, logged, routedEdge, scrape, shadowServer } from "./routed-edge.ts";

routedEdge();

const silent = () => new Promise<Response>(() => undefined);

test.each([
  ["well", null],
  ["refusing connections", () => Promise.reject(new TypeError("connection refused"))],
  ["answering 500", () => Promise.resolve(new Response("oops", { status: 500 }))],
  ["answering 429", () => Promise.resolve(new Response("{}", { status: 429 }))],
  ["answering no event stream", () => Promise.resolve(new Response("<html>"))],
  ["hanging", silent],
  [
    "silent after its first event",
    () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode('data: {"id":"x","choices":[]}\n\n')).catch(() => undefined);
      return Promise.resolve(new Response(readable, { headers: { "content-type": "text/event-stream" } }));
    },
  ],
] as const)("a shadow that is %s neither delays, fails nor bills a turn", async (state, behaviour) => {
  shadowServer.behaviour = behaviour;
  const user = `shadowed-${state.replaceAll(" ", "-")}`;
  for (const stream of [false, true]) {
    asked.length = 0;
    const response = await chat(user, "shadowed", "tokens=4", { stream });
    expect(response.status).toBe(200);
    // The answer is in hand and whole while the shadow still hangs.
    const text = await response.text();
    expect(text).toContain("x");
    if (stream) expect(text).toContain("[DONE]");
    expect(asked[0]).toBe("one.test SMALL");
    await eventually(() => expect(asked).toEqual(["one.test SMALL", "two.test SPARE"]));
  }
  // 11 tokens of prompt and 4 of answer, twice, at the answering model's price: the shadow's is a thousand times that.
  await eventually(async () => expect(await charged(user)).toMatchObject({ tokens: 30, requests: 2 }));
  shadowServer.behaviour = null;
});

test("a shadow that is slow is waited for by nobody, and then counted", async () => {
  const gate = Promise.withResolvers<void>();
  shadowServer.behaviour = async () => {
    await gate.promise;
    return fakeEngine("http://two.test/v1/chat/completions", {
      body: JSON.stringify({ stream: true, model: "SPARE", messages: [{ content: "tokens=6" }] }),
    });
  };
  const response = await chat("slow", "split-shadowed", "tokens=2", { stream: true });
  expect(await response.text()).toContain("[DONE]");
  await eventually(async () => expect(await charged("slow")).toMatchObject({ tokens: 13, requests: 1 }));
  gate.resolve();
  shadowServer.behaviour = null;
  const labels = { alias: "split-shadowed", model: "spare" };
  await eventually(async () => {
    // Its numbers leave with the next record.
    await (await chat("slow", "small", "Hi")).text();
    const metrics = await scrape();
    expect(metrics.sum("edgewise_shadow_requests_total", { ...labels, result: "answered" })).toBe(1);
    expect(metrics.sum("edgewise_shadow_generated_tokens_total", labels)).toBe(6);
  });
});

test("no user ever hears of a shadow: its model is in no record, no answer and no bill", async () => {
  expect(logged.filter(({ model }) => model === "spare")).toEqual([]);
  const metrics = await scrape();
  expect(metrics.sum("edgewise_requests_total", { model: "spare" })).toBe(0);
  expect(metrics.sum("edgewise_shadow_requests_total", { alias: "shadowed", result: "answered" })).toBe(2);
});
