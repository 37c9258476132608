import { describe, expect, test } from "vitest";
import { bearer, post } from "./edge-under-test.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { besideEngine, calls, orderTool, refundTool, says } from "./tool-server.ts";

/** Chat completions of a tenant that lets them have its tools: one answer, whatever the model called for it. */
const tools = { calculator: true, http: [{ ...orderTool, headers: [] }, refundTool], max_rounds: 2 };
const engine = scriptedEdge({
  "chat-tools": { limits: limitless, tools: { ...tools, chat_completions: true } },
  "no-chat-tools": { limits: limitless, tools },
  "shared-tools": {
    limits: limitless,
    requests: { dedup: true },
    tools: { ...tools, chat_completions: true },
  },
});
besideEngine(engine);

const six = ["calculator", { expression: "2*3" }] as const;
const path = "/v1/chat/completions";
const asked = { model: "auto", max_completion_tokens: 50, messages: [{ role: "user", content: "2*3?" }] };

function thinksAloud(words: string, call: readonly [name: string, args: object]) {
  const { deltas, finish } = calls(call);
  return { deltas: [{ content: words }, ...deltas], finish };
}

test("an answer holds what all rounds said, and is one charge", async () => {
  const authorization = await bearer("chat-tools", "alice");
  engine.rounds.push(thinksAloud("Let me see.", six), says("It is", " 6."));
  const response = await post(path, authorization, asked);
  expect(await response.json()).toMatchObject({
    object: "chat.completion",
    choices: [{ message: { role: "assistant", content: "Let me see.\n\nIt is 6." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 20, completion_tokens: 4 },
  });
  expect(engine.asked[0]?.["tools"]).toMatchObject([
    { function: { name: "calculator" } },
    { function: { name: "get_order" } },
  ]);
  expect(engine.asked[1]?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user" },
    { role: "assistant", content: "Let me see.", tool_calls: [{ function: { name: "calculator" } }] },
    { role: "tool", content: "6" },
  ]);
  await expectBill(authorization, 1, 24);
});

test("a stream tells the same, with one role, one time, one finish reason and one usage", async () => {
  const authorization = await bearer("chat-tools", "bob");
  engine.rounds.push(thinksAloud("Let me see.", six), says("It is", " 6."));
  const options = { stream: true, stream_options: { include_usage: true } };
  const text = await (await post(path, authorization, { ...asked, ...options })).text();
  expect(readStream(text)).toEqual({ content: "Let me see.\n\nIt is 6.", finish: "stop", done: true });
  const chunks = text
    .split("\n\n")
    .filter((line) => line.includes("data: {"))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))) as Chunk);
  expect(chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined)).toHaveLength(1);
  expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([]);
  expect(new Set(chunks.map(({ created }) => created)).size).toBe(1);
  expect(chunks.filter(({ choices }) => (choices[0]?.finish_reason ?? null) !== null)).toHaveLength(1);
  expect(chunks.flatMap(({ usage }) => usage ?? [])).toMatchObject([{ total_tokens: 24 }]);
});

interface Chunk {
  readonly created: number;
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly tool_calls?: readonly object[] };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: object | null;
}

test("calls of the client's beside ours are told alone, counted from 0", async () => {
  const authorization = await bearer("chat-tools", "carol");
  engine.rounds.push(calls(six, ["lamp", { on: true }]), says("never asked"));
  const lamp = [{ type: "function", function: { name: "lamp", parameters: { type: "object" } } }];
  const whole = await post(path, authorization, { ...asked, tools: lamp });
  expect(await whole.json()).toMatchObject({
    choices: [{ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "lamp" } }] } }],
  });
  engine.rounds.splice(0, 9, calls(six, ["lamp", { on: true }]), says("never asked"));
  const text = await (await post(path, authorization, { ...asked, tools: lamp, stream: true })).text();
  expect(text).toContain('"tool_calls":[{"index":0,');
  expect(text).not.toContain("calculator");
  expect(readStream(text)).toMatchObject({ finish: "tool_calls", done: true });
});

test("a conversation keeps what the tools said", async () => {
  const authorization = await bearer("chat-tools", "dave");
  engine.rounds.push(calls(six), says("It is 6."), says("Yes."));
  await (await post(path, authorization, { ...asked, conversation_id: "sums" })).text();
  await (await post(path, authorization, { ...asked, conversation_id: "sums" })).text();
  expect(engine.lastRead()).toContain('"role":"tool","content":"6"');
});

describe("what is not offered", () => {
  test("anything, to a tenant that does not let its chats have tools", async () => {
    engine.rounds.push(says("Hi."));
    await (await post(path, await bearer("no-chat-tools", "alice"), asked)).text();
    expect(engine.asked[0]?.["tools"]).toBeUndefined();
  });

  test("a name that is taken is refused by its place", async () => {
    const taken = [{ type: "function", function: { name: "calculator", parameters: { type: "object" } } }];
    const refused = await post(path, await bearer("chat-tools", "erin"), { ...asked, tools: taken });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: "tools[0].function.name" } });
  });
});

test("a broken engine behind a round is one error event, without an end mark", async () => {
  const authorization = await bearer("chat-tools", "frank");
  engine.rounds.push(thinksAloud("Let me see.", six), { deltas: [{ content: "It" }], finish: null });
  const text = await (await post(path, authorization, { ...asked, stream: true })).text();
  expect(text).toContain('"error"');
  expect(text).not.toContain("[DONE]");
});

test("one whose model is cut off in a call of ours shows nothing of it", async () => {
  const authorization = await bearer("chat-tools", "heidi");
  const cut = { ...thinksAloud("Let me see.", six), finish: "length" };
  engine.rounds.push(cut);
  const response = await post(path, authorization, asked);
  const { choices } = (await response.json()) as { readonly choices: readonly object[] };
  expect(choices).toMatchObject([{ finish_reason: "length", message: { content: "Let me see." } }]);
  expect(JSON.stringify(choices)).not.toContain("tool_calls");
});

test("one whose model does not leave its tools ends without calls that nobody could answer", async () => {
  engine.rounds.push(calls(six));
  const response = await post(path, await bearer("chat-tools", "ivan"), asked);
  const { choices } = (await response.json()) as { readonly choices: readonly object[] };
  expect(choices).toMatchObject([{ finish_reason: "stop", message: { content: "" } }]);
  expect(engine.asked).toHaveLength(3);
});

test("all rounds together say no more than the client asked for", async () => {
  const long = { ...thinksAloud("Let me see.", six), deltas: [] as object[] };
  long.deltas = [{ content: "Let" }, { content: " me" }, { content: " see." }, ...calls(six).deltas];
  engine.rounds.push(long, says("It is 6."));
  const body = { ...asked, max_completion_tokens: 7 };
  await (await post(path, await bearer("chat-tools", "judy"), body)).text();
  expect(engine.asked.map(({ max_tokens: most }) => most)).toEqual([7, 3]);
  engine.reset();
  engine.rounds.push(long, says("never asked"));
  const spent = await post(path, await bearer("chat-tools", "kim"), { ...body, max_completion_tokens: 4 });
  expect(await spent.json()).toMatchObject({
    choices: [{ finish_reason: "length", message: { content: "Let me see." } }],
    usage: { completion_tokens: 4 },
  });
  expect(engine.asked).toHaveLength(1);
});

test("equal requests share no answer that their tools went into", async () => {
  const authorization = await bearer("shared-tools", "alice");
  engine.rounds.push(calls(six), says("It is 6."), calls(six), says("It is 6 still."));
  const body = { ...asked, temperature: 0 };
  const first = await (await post(path, authorization, body)).text();
  const second = await (await post(path, authorization, body)).text();
  expect([first.includes("6."), second.includes("6 still.")]).toEqual([true, true]);
  expect(engine.asked).toHaveLength(4);
});

test("log probabilities are of all that was said", async () => {
  const authorization = await bearer("chat-tools", "leo");
  const entry = (token: string) => ({ token, logprob: -0.5, bytes: null, top_logprobs: [] });
  const saying = (token: string) => ({ content: token, logprobs: { content: [entry(token)] } });
  const { deltas, finish } = calls(six);
  engine.rounds.push(
    { deltas: [saying("Hm."), ...deltas], finish },
    { deltas: [saying("Six")], finish: "stop" },
  );
  const response = await post(path, authorization, { ...asked, logprobs: true });
  const { choices } = (await response.json()) as {
    readonly choices: readonly { readonly logprobs: { readonly content: readonly { token: string }[] } }[];
  };
  expect(choices[0]?.logprobs.content.map(({ token }) => token)).toEqual(["Hm.", "Six"]);
});
