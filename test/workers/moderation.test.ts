import { beforeEach, describe, expect, test, vi } from "vitest";
import { bearer, post, settled } from "./edge-under-test.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const guarded = { input: "block", output: "off", model: "guard" } as const;
const engine = scriptedEdge({
  "harm-blocks": { safety: { moderation: { input: "block", output: "block" } } },
  "harm-flags": { safety: { moderation: { input: "flag", output: "flag" } } },
  "harm-guard": { safety: { moderation: guarded }, models: { allow: ["auto"] } },
  "harm-guard-open": { safety: { moderation: { ...guarded, when_slow: "open" } } },
  "harm-guard-late": { safety: { moderation: { ...guarded, model_budget_ms: 50 } } },
  "harm-guard-late-open": { safety: { moderation: { ...guarded, model_budget_ms: 50, when_slow: "open" } } },
  "harm-guard-once": {
    safety: { moderation: guarded },
    limits: { user: { pro: { requests_per_day: 1, concurrent_requests: 1 } } },
  },
  "harm-guard-few": { safety: { moderation: guarded }, limits: { user: { pro: { tokens_per_month: 300 } } } },
  "harm-judged": { safety: { moderation: { output: "flag", model: "guard" } } },
  "harm-noted": { safety: { moderation: { input: "flag", model: "guard" } } },
  "harm-off": {},
});

const harm = "All immigrants are filthy vermin and should be exterminated.";
/** As parts of one message, none of which says it. */
const inParts = ["All immigrants are", "filthy vermin and", "should be exterminated."].map((text) => ({
  type: "text",
  text,
}));
const harmless = "The weather in Lisbon is mild in spring, and most visitors walk along the river. ".repeat(
  3,
);
const answer = (harmless + harm).match(/\S+\s*/g) ?? [];

beforeEach(() => {
  engine.tokens = answer;
});

const chat = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 200,
  messages: [{ role: "user", content }],
  ...more,
});

async function ask(
  tenant: string,
  body: object,
  path = "/v1/chat/completions",
  user: string = crypto.randomUUID(),
) {
  return post(path, await bearer(tenant, user), body);
}

describe.each([
  ["a direct stream", { stream: true }],
  ["a conversation's stream", { stream: true, conversation_id: "harmful" }],
])("%s", (_, more) => {
  test("ends with content_filter before the block that is harmful, and the engine is stopped", async () => {
    engine.tokens = [...answer, ...(harmless.match(/\S+\s*/g) ?? [])];
    const response = await ask("harm-blocks", chat("hi", more));
    const { content, finish, done } = readStream(await response.text());
    expect(finish).toBe("content_filter");
    expect(done).toBe(true);
    expect(harmless.startsWith(content)).toBe(true);
    expect(content.length).toBeGreaterThan(100);
    await settled();
    await eventually(() => expect(engine.cancelled).toBe(1));
  });

  test("says all of it where the policy is to flag", async () => {
    const response = await ask("harm-flags", chat("hi", more));
    expect(readStream(await response.text())).toMatchObject({ content: answer.join(""), finish: "stop" });
    await settled();
  });

  test("a harmless answer is said to its last character", async () => {
    engine.tokens = harmless.match(/\S+\s*/g) ?? [];
    const response = await ask("harm-blocks", chat("hi", more));
    expect(readStream(await response.text())).toMatchObject({ content: harmless, finish: "stop" });
    await settled();
  });
});

test("a whole answer is judged like a stream", async () => {
  const response = await ask("harm-blocks", chat("hi"));
  const { choices } = (await response.json()) as { choices: { finish_reason: string }[] };
  expect(choices[0]?.finish_reason).toBe("content_filter");
  expect(JSON.stringify(choices)).not.toContain("vermin");
  await settled();
});

test.each([
  ["/v1/chat/completions", chat(harm)],
  ["/v1/chat/completions", chat("", { messages: [{ role: "user", content: inParts }] })],
  ["/v1/completions", { model: "auto", prompt: harm, max_tokens: 10 }],
  ["/v1/responses", { model: "auto", input: harm }],
  ["/v1/responses/input_tokens", { model: "auto", input: harm }],
  ["/v1/conversations", { items: [{ type: "message", role: "user", content: harm }] }],
])(
  "%s: a harmful prompt is refused by its category alone, reaches no model and costs nothing",
  async (path, body) => {
    const user = crypto.randomUUID();
    const response = await ask("harm-blocks", body, path, user);
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "content_policy_violation" } });
    expect(text).toContain("hate");
    expect(text).not.toContain("vermin");
    expect(engine.asked).toHaveLength(0);
    await expectBill(await bearer("harm-blocks", user), 0, 0);
  },
);

test("a harmful prompt passes where it is flagged, or not looked for", async () => {
  for (const tenant of ["harm-flags", "harm-off"]) {
    const response = await ask(tenant, chat(harm));
    expect(response.status).toBe(200);
    await response.text();
  }
  expect(engine.asked).toHaveLength(2);
  await settled();
});

describe("with a guard model, which here says what it is told to", () => {
  test("what it calls unsafe is refused by category, though the tenant's users could not ask it", async () => {
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

  test("what it calls safe goes on, and its user pays for the answer alone", async () => {
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
  ])("%s: it is asked for nobody whose limits are used up", async (path, body) => {
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

  test("it is asked for nobody who has too few tokens left for the prompt, nor for one who has none", async () => {
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
  ])("%s: it is not asked where nobody speaks, and nothing waits for it", async (path, body, asked) => {
    engine.tokens = ["Hello", " there"];
    const response = await ask("harm-guard", body, path);
    const text = await response.text();
    expect(`${response.status} ${text}`).toMatch(/^200 /);
    expect(engine.asked).toHaveLength(asked);
    await settled();
  });

  test("it is not asked about a prompt whose tokens are counted: no model reads it", async () => {
    const response = await ask("harm-guard", { model: "auto", input: "Hello" }, "/v1/responses/input_tokens");
    expect(response.status).toBe(200);
    await response.body?.cancel();
    const models = engine.asked.map((asked) => asked["model"]);
    expect(models).not.toContain("meta-llama/Llama-Guard-3-8B");
  });

  test("one that is late is no verdict: closed refuses, open lets through and says so", async () => {
    const hung: AbortSignal[] = [];
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      if (typeof init?.body !== "string" || !init.body.includes("Llama-Guard"))
        return engine.fetch(input, init);
      const { signal } = init;
      if (!(signal instanceof AbortSignal)) throw new TypeError("a guard is asked without a signal");
      hung.push(signal);
      return new Promise<Response>((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
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

  test("one that answers as no guard does is no verdict: closed refuses, open lets through", async () => {
    engine.tokens = ["Hello", " there"];
    const closed = await ask("harm-guard", chat("Hello"));
    expect(closed.status).toBe(503);
    await closed.body?.cancel();
    const open = await ask("harm-guard-open", chat("Hello"));
    expect(open.status).toBe(200);
    await open.text();
    await settled();
  });
});

describe("what the log says", () => {
  /** Every line that was logged while `act` ran and what it began went on. */
  async function logged(act: () => Promise<unknown>, seen: (lines: readonly string[]) => boolean) {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log");
    log.mockImplementation((text: unknown) => void lines.push(...String(text).split("\n")));
    await act();
    await settled();
    await eventually(() => expect(seen(lines)).toBe(true));
    log.mockImplementation(() => undefined);
    return lines;
  }

  test("of a refused prompt and of a flagged answer: categories, never a word of them", async () => {
    const refused = await logged(
      async () => (await ask("harm-blocks", chat(harm))).text(),
      (lines) => lines.some((line) => line.includes('"screened":"hate:1')),
    );
    const flagged = await logged(
      async () => (await ask("harm-flags", chat("hi"))).text(),
      (lines) => lines.some((line) => line.includes('"guarded":"hate:')),
    );
    expect([...refused, ...flagged].join("\n")).not.toContain("vermin");
  });

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
