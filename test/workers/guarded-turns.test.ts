import { beforeEach, describe, expect, test, vi } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  blocks: { safety: { input: { action: "block" }, output: { action: "block" } } },
  masks: { safety: { input: { action: "mask" }, output: { action: "mask" } } },
  flags: { safety: { input: { action: "flag" }, output: { action: "flag" } } },
});
const address = "ann.smith@example.org";
/** An address that no single token holds. */
const leak = ["Write to ", "ann", ".smi", "th@exa", "mple", ".org", " today", ", or ", "never", "."];

beforeEach(() => {
  engine.tokens = leak;
});

const chat = (content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 100,
  messages: [{ role: "user", content }],
  ...more,
});

describe.each([
  ["a direct stream", { stream: true }],
  ["a conversation's stream", { stream: true, conversation_id: "guarded" }],
])("%s", (_, more) => {
  test("ends with content_filter before the first character of a blocked span, and the engine is stopped", async () => {
    const response = await post(
      "/v1/chat/completions",
      await bearer("blocks", crypto.randomUUID()),
      chat("hi", more),
    );
    const { content, finish, done } = readStream(await response.text());
    expect(content).toBe("Write to ");
    expect(finish).toBe("content_filter");
    expect(done).toBe(true);
    await settled();
    await eventually(() => expect(engine.cancelled).toBe(1));
  });

  test("masks what may not be said, and says the rest", async () => {
    const response = await post(
      "/v1/chat/completions",
      await bearer("masks", crypto.randomUUID()),
      chat("hi", more),
    );
    const { content, finish } = readStream(await response.text());
    expect(content).not.toContain("smith");
    expect(content).not.toContain("example.org");
    expect(content).toMatch(/^Write to .+ today, or never\.$/);
    expect(finish).toBe("stop");
    await settled();
  });

  test("only notes it where the policy is to flag", async () => {
    const response = await post(
      "/v1/chat/completions",
      await bearer("flags", crypto.randomUUID()),
      chat("hi", more),
    );
    expect(readStream(await response.text()).content).toBe(leak.join(""));
    await settled();
  });
});

test("a whole answer is guarded like a stream", async () => {
  const response = await post("/v1/chat/completions", await bearer("blocks", "whole"), chat("hi"));
  const body = (await response.json()) as {
    choices: { message: { content: string }; finish_reason: string }[];
  };
  expect(body.choices[0]?.finish_reason).toBe("content_filter");
  expect(JSON.stringify(body)).not.toContain("smith");
  await settled();
});

test("a blocked prompt is 400 content_policy_violation, reaches no model and costs nothing", async () => {
  const authorization = await bearer("blocks", "prompt");
  const response = await post("/v1/chat/completions", authorization, chat(`I am ${address}`));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: "content_policy_violation" } });
  expect(engine.asked).toHaveLength(0);
  await settled();
  const usage = await send("/v1/usage", { headers: { authorization } });
  expect(await usage.json()).toMatchObject({ user: { used: { requests: 0, tokens: 0 } } });
});

test.each([["/v1/chat/completions"], ["/v1/completions"]])(
  "%s: the model reads the mask and not the address",
  async (path) => {
    const text = `I am ${address}, remember me`;
    const body = path === "/v1/completions" ? { model: "auto", prompt: text } : chat(text);
    const response = await post(path, await bearer("masks", "reader"), body);
    expect(response.status).toBe(200);
    await response.text();
    expect(engine.lastRead()).toContain("remember me");
    expect(engine.lastRead()).not.toContain("smith");
    await settled();
  },
);

test.each([
  ["/v1/embeddings", { model: "bge-small", input: ["fine", `I am ${address}`] }],
  ["/v1/moderations", { model: "guard", input: ["fine", `I am ${address}`] }],
])("%s: the model reads the mask and not the address, and nothing that is blocked", async (path, body) => {
  engine.tokens = ["safe"];
  const asked = vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const embedding = { object: "embedding", embedding: [1, 0] };
    const answer = await engine.fetch(input, init);
    return path === "/v1/embeddings"
      ? Response.json({ data: [embedding, embedding], usage: { prompt_tokens: 9, total_tokens: 9 } })
      : answer;
  });
  const masked = await post(path, await bearer("masks", crypto.randomUUID()), body);
  expect(`${masked.status} ${await masked.text()}`).toMatch(/^200/);
  expect(JSON.stringify(engine.asked)).toContain("I am [e-mail address]");
  expect(JSON.stringify(engine.asked)).not.toContain("smith");
  const before = engine.asked.length;
  const blocked = await post(path, await bearer("blocks", crypto.randomUUID()), body);
  expect(blocked.status).toBe(400);
  expect(await blocked.json()).toMatchObject({ error: { code: "content_policy_violation" } });
  expect(engine.asked).toHaveLength(before);
  asked.mockImplementation(engine.fetch);
  await settled();
});

test("an answer that was masked is never cached, one that only was flagged is", async () => {
  const deterministic = { temperature: 0 };
  const status = async (tenant: string): Promise<string | null> => {
    const response = await post(
      "/v1/chat/completions",
      await bearer(tenant, "cached"),
      chat("same", deterministic),
    );
    await response.text();
    await settled();
    return response.headers.get("cache-status");
  };
  await status("masks");
  expect(await status("masks")).toContain("fwd=miss");
  await status("flags");
  // A look-up that takes too long, as on a busy machine, is a miss.
  await eventually(async () => expect(await status("flags")).toContain("hit"));
});

describe("what whoever parses the answer reads as an address, by whichever escape it is written", () => {
  /** As an engine that is asked for JSON may write it, token by token. */
  const escaped = [
    '{"to":',
    '"ann.smith',
    "\\u00",
    "40exam",
    "ple\\u002",
    'eorg","n',
    '":4111',
    "111111111111",
    "}",
  ];
  const format = { response_format: { type: "json_object" } };

  test.each([
    ["a direct stream", { stream: true }],
    ["a conversation's stream", { stream: true, conversation_id: "json" }],
  ])("is masked in the JSON of %s, which stays JSON", async (_, more) => {
    engine.tokens = escaped;
    const authorization = await bearer("masks", crypto.randomUUID());
    const response = await post("/v1/chat/completions", authorization, chat("hi", { ...format, ...more }));
    const { content, finish } = readStream(await response.text());
    expect(JSON.parse(content)).toEqual({ to: "[e-mail address]", n: "[card number]" });
    expect(finish).toBe("stop");
    await settled();
  });

  test("is masked in a whole answer, and in a response", async () => {
    engine.tokens = escaped;
    const authorization = await bearer("masks", crypto.randomUUID());
    const whole = await post("/v1/chat/completions", authorization, chat("hi", format));
    expect(await whole.text()).toContain('{\\"to\\":\\"[e-mail address]\\"');
    const response = await post("/v1/responses", authorization, {
      model: "auto",
      input: "hi",
      text: { format: { type: "json_object" } },
    });
    expect(await response.text()).toContain('{\\"to\\":\\"[e-mail address]\\"');
    await settled();
  });

  test("stops a tool call before it, where the policy is to block", async () => {
    const call = (text: string) => ({
      tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "send", arguments: text } }],
    });
    engine.script = { deltas: escaped.map(call), finish: "tool_calls" };
    const response = await post(
      "/v1/chat/completions",
      await bearer("blocks", crypto.randomUUID()),
      chat("hi", { stream: true, tools: [{ type: "function", function: { name: "send" } }] }),
    );
    const text = await response.text();
    engine.script = null;
    expect(readStream(text).finish).toBe("content_filter");
    expect(text).not.toContain("smith");
    await settled();
  });
});
