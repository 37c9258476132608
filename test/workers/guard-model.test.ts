/** With a guard model, which here says what it is told to: when it is asked, what its verdict does, and what the lack of one does. */
import { expect, test, vi } from "vitest";
import { bearer, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { ask, chat, logged, toGuard, untilAborted } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";

const guarded = { input: "block", output: "off", model: "guard" } as const;
/** A guard that answers does so within it, however busy the machine is. */
const lateMs = 1_000;
const engine = scriptedEdge({
  "harm-guard": { safety: { moderation: guarded }, models: { allow: ["auto"] } },
  "harm-guard-open": { safety: { moderation: { ...guarded, when_slow: "open" } } },
  "harm-guard-late": { safety: { moderation: { ...guarded, model_budget_ms: lateMs } } },
  "harm-guard-late-open": {
    safety: { moderation: { ...guarded, model_budget_ms: lateMs, when_slow: "open" } },
  },
  "harm-guard-once": {
    safety: { moderation: guarded },
    limits: { user: { pro: { requests_per_day: 1, concurrent_requests: 1 } } },
  },
  "harm-guard-one": {
    safety: { moderation: { ...guarded, model_budget_ms: 10_000 } },
    limits: { user: { pro: { concurrent_requests: 1 } } },
  },
  "harm-guard-few": { safety: { moderation: guarded }, limits: { user: { pro: { tokens_per_month: 300 } } } },
  "harm-judged": { safety: { moderation: { output: "flag", model: "guard" } } },
  "harm-noted": { safety: { moderation: { input: "flag", model: "guard" } } },
});

test("what a guard model calls unsafe is refused by category, though the tenant's users could not ask it", async () => {
  engine.tokens = ["unsafe", "\n", "S9"];
  const response = await ask("harm-guard", chat("Hello"));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("illicit/violent");
  expect(engine.asked).toHaveLength(1);
  expect(engine.asked[0]).toMatchObject({ model: "meta-llama/Llama-Guard-3-8B", temperature: 0 });
  const forbidden = await ask("harm-guard", { input: "Hello", model: "guard" }, "/v1/moderations");
  expect(forbidden.status).toBe(404);
  await forbidden.body?.cancel();
});

test("what a guard model calls safe goes on, and its user pays for the answer alone", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const response = await ask("harm-guard", chat("Hello"), undefined, user);
  expect(response.status).toBe(200);
  await response.text();
  expect(engine.asked).toHaveLength(2);
  await expectBill(await bearer("harm-guard", user), 1, 11);
});

test.each([
  ["/v1/chat/completions", chat("Hello")],
  ["/v1/responses", { model: "auto", input: "Hello" }],
])("%s: a guard model is asked for nobody whose limits are used up", async (path, body) => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const first = await ask("harm-guard-once", body, path, user);
  expect(first.status).toBe(200);
  await first.text();
  await expectBill(await bearer("harm-guard-once", user), 1, 11);
  expect(engine.asked).toHaveLength(2);
  const refused = await ask("harm-guard-once", body, path, user);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  expect(engine.asked).toHaveLength(2);
});

test("a guard model is asked for nobody who has too few tokens left for the prompt, nor for one who has none", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const few = (words: number) => chat("Hello ".repeat(words), { max_tokens: 5 });
  expect((await ask("harm-guard-few", few(1), undefined, user)).status).toBe(200);
  await expectBill(await bearer("harm-guard-few", user), 1, 11);
  expect(engine.asked).toHaveLength(2);
  const refused = await ask("harm-guard-few", few(900), undefined, user);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  expect(engine.asked).toHaveLength(2);
});

test.each([
  ["/v1/conversations", {}, 0],
  ["/v1/conversations", { items: [{ type: "message", role: "assistant", content: "Welcome." }] }, 0],
  [
    "/v1/responses",
    {
      model: "auto",
      store: false,
      input: [
        { type: "function_call", call_id: "c1", name: "weather", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "18 degrees" },
      ],
    },
    1,
  ],
])(
  "%s: a guard model is not asked where nobody speaks, and nothing waits for it",
  async (path, body, asked) => {
    engine.tokens = ["Hello", " there"];
    const response = await ask("harm-guard", body, path);
    const text = await response.text();
    expect(`${response.status} ${text}`).toMatch(/^200 /);
    expect(engine.asked).toHaveLength(asked);
    await settled();
  },
);

test("a guard model is not asked about a prompt whose tokens are counted: no model reads it", async () => {
  const response = await ask("harm-guard", { model: "auto", input: "Hello" }, "/v1/responses/input_tokens");
  expect(response.status).toBe(200);
  await response.body?.cancel();
  const models = engine.asked.map((asked) => asked["model"]);
  expect(models).not.toContain("meta-llama/Llama-Guard-3-8B");
});

test("a guard model that is late gives no verdict: closed refuses, open lets through and says so", async () => {
  const hung: AbortSignal[] = [];
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    if (toGuard(init) === null) return engine.fetch(input, init);
    if (init?.signal instanceof AbortSignal) hung.push(init.signal);
    return untilAborted(init);
  });
  engine.tokens = ["Hello"];
  const closed = await ask("harm-guard-late", chat("Hello"));
  expect(closed.status).toBe(503);
  await closed.body?.cancel();
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const open = await ask("harm-guard-late-open", chat("Hello"));
  expect(`${open.status} ${await open.text()}`).toMatch(/^200 .*Hello/);
  await settled();
  await eventually(() => expect(log.mock.calls.join()).toContain("unmoderated"));
  log.mockRestore();
  // Nobody waits for it any more.
  await eventually(() => expect(hung.map(({ aborted }) => aborted)).toEqual([true, true]));
  vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
});

test("no user has more prompts with the guard at once than it may have requests: who makes it late for all does so no faster than that", async () => {
  engine.tokens = ["safe"];
  const held = Promise.withResolvers<void>();
  engine.holdWhole = { until: held.promise, says: ["safe"] };
  const [user, other] = [crypto.randomUUID(), crypto.randomUUID()];
  const first = ask("harm-guard-one", chat("Hello"), undefined, user);
  await eventually(() => expect(engine.asked).toHaveLength(1));
  const second = await ask("harm-guard-one", chat("Hello"), undefined, user);
  expect(second.status).toBe(429);
  expect(second.headers.get("retry-after")).toBe("1");
  expect(await second.json()).toMatchObject({ error: { code: "rate_limit_exceeded", type: "requests" } });
  expect(engine.asked).toHaveLength(1);
  const others = ask("harm-guard-one", chat("Hello"), undefined, other);
  await eventually(() => expect(engine.asked).toHaveLength(2));
  held.resolve();
  engine.holdWhole = null;
  for (const answer of [await first, await others]) {
    expect(answer.status).toBe(200);
    await answer.text();
  }
  await expectBill(await bearer("harm-guard-one", user), 1, 11);
  const again = await ask("harm-guard-one", chat("Hello"), undefined, user);
  expect(`${again.status} ${await again.text()}`).toMatch(/^200 /);
  await settled();
});

test("a guard model whose servers fail gives no verdict: closed refuses, open lets through", async () => {
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) =>
    toGuard(init) ? Response.json({ error: {} }, { status: 500 }) : engine.fetch(input, init),
  );
  const closed = await ask("harm-guard", chat("Hello"));
  expect(closed.status).toBe(503);
  await closed.body?.cancel();
  const open = await ask("harm-guard-open", chat("Hello"));
  expect(`${open.status} ${await open.text()}`).toMatch(/^200 .*Hello/);
  await settled();
  vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
});

test("a guard model that is talked out of its office is asked once more, when it may say nothing but a verdict", async () => {
  engine.wholes.push(["Of", " course!"], ["unsafe", "\n", "S9"]);
  const response = await ask("harm-guard-open", chat("Hello"));
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("illicit/violent");
  expect(engine.asked).toHaveLength(2);
  expect(engine.asked[0]).toMatchObject({ logprobs: true });
  expect(engine.asked[0]).not.toHaveProperty("structured_outputs");
  expect(engine.asked[1]).not.toHaveProperty("logprobs");
  const bound = engine.asked[1]?.["structured_outputs"] as { regex: string } | undefined;
  const isVerdict = new RegExp(`^(?:${bound?.regex})$`, "u");
  for (const verdict of ["safe", "\n\nsafe", "unsafe\nS9", "\n\nunsafe\nS1,S14"])
    expect(verdict).toMatch(isVerdict);
  for (const other of ["Of course!", "unsafe", "unsafe\nS15", "safe\nS1", "safe "])
    expect(other).not.toMatch(isVerdict);
});

test.each([
  ["answers it again", async () => engine.fetch("https://guard.test/v1/chat/completions", { body: "{}" })],
  ["knows no such rule", async () => Response.json({ error: { message: "no" } }, { status: 400 })],
  ["is down by then", async () => Response.json({ error: {} }, { status: 503 })],
  ["is late then", async (init: RequestInit | undefined) => untilAborted(init)],
])(
  "a prompt that talks it out of its office, and then it %s, is refused under open as under closed",
  async (_, then) => {
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) =>
      toGuard(init)?.includes("structured_outputs") === true ? then(init) : engine.fetch(input, init),
    );
    engine.tokens = ["Of", " course!"];
    for (const tenant of ["harm-guard-late", "harm-guard-late-open"]) {
      const user = crypto.randomUUID();
      const response = await ask(tenant, chat("Hello"), undefined, user);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: "content_policy_violation" } });
      await expectBill(await bearer(tenant, user), 1, 0);
    }
    vi.mocked(globalThis.fetch).mockImplementation(engine.fetch);
  },
);

test.each([
  ["a direct answer", {}],
  ["a direct stream", { stream: true }],
  ["a conversation's stream", { stream: true, conversation_id: "judged" }],
])("%s is judged by the guard at its end, beside it", async (_, more) => {
  engine.tokens = ["unsafe", "\n", "S10"];
  const lines = await logged(
    async () => (await ask("harm-judged", chat("hi", more))).text(),
    (all) => all.some((line) => line.includes('"event":"moderation"')),
  );
  const line = lines.find((one) => one.includes('"event":"moderation"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    tenant: "harm-judged",
    model: "llama-guard-3-8b",
    answer: "hate",
  });
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "user", content: "hi" },
    { role: "assistant", content: "unsafe\nS10" },
  ]);
});

test("a prompt that is flagged by a guard model does not wait for it, and the log has its verdict", async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log");
  log.mockImplementation((text: unknown) => void lines.push(...String(text).split("\n")));
  const held = Promise.withResolvers<void>();
  engine.tokens = ["Hello", " there"];
  engine.holdWhole = { until: held.promise, says: ["unsafe", "\n", "S10"] };
  const response = await ask("harm-noted", chat("Hello", { stream: true }));
  expect(readStream(await response.text())).toMatchObject({ content: "Hello there", finish: "stop" });
  expect(lines.join("\n")).not.toContain('"event":"moderation"');
  held.resolve();
  await settled();
  await eventually(() => expect(lines.join("\n")).toContain('"event":"moderation"'));
  log.mockImplementation(() => undefined);
  const line = lines.find((one) => one.includes('"event":"moderation"')) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ tenant: "harm-noted", model: "llama-guard-3-8b", prompt: "hate" });
});
