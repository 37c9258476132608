import { Conversation } from "../../durable-objects/conversation/conversation.ts";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = new ScriptedEngine();

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine.fetch);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await putTenant("names", { conversations: { title_model: "auto" } });
  await putTenant("named-once", { conversations: { title_model: "auto" } });
  await putTenant("wrong-name", { conversations: { title_model: "no-such-model" } });
  await putTenant("shortens", {
    default_system_prompt: "Be kind.",
    conversations: { summary_model: "auto" },
  });
});
beforeEach(() => {
  engine.tokens = ["Hello", " there"];
  engine.asked.length = 0;
});
afterAll(() => void vi.restoreAllMocks());

async function say(authorization: string, content: string): Promise<void> {
  const response = await post("/v1/chat/completions", authorization, {
    model: "auto",
    max_tokens: 50,
    conversation_id: "talk",
    messages: [{ role: "user", content }],
  });
  await response.text();
  expect(response.status).toBe(200);
}

async function conversation(authorization: string): Promise<Record<string, unknown>> {
  return (await send("/v1/conversations/talk", { headers: { authorization } })).json();
}

interface Message {
  readonly role: string;
  readonly content: string;
}
const messages = (body: Record<string, unknown> | undefined) => (body?.["messages"] ?? []) as Message[];
const isQuestionOfOurs = (body: Record<string, unknown>) =>
  /^You (name|keep)/.test(messages(body)[0]?.content ?? "");

test("a title by rule is there with the first turn; a model's takes its place, once, and is charged", async () => {
  const authorization = await bearer("names", "ann");
  const update = vi.spyOn(Conversation.prototype, "update");
  await say(authorization, "Explain the tides, please");
  await eventually(async () =>
    expect(await conversation(authorization)).toMatchObject({ title: "Hello there" }),
  );
  // Of the conversation that it was made from, and of none that was begun under its name since.
  expect(update).toHaveBeenCalledWith(expect.objectContaining({ titleBy: "model", incarnation: 1 }));
  const asked = engine.asked.filter(isQuestionOfOurs);
  expect(asked).toHaveLength(1);
  expect(messages(asked[0])[1]?.content).toContain("user: Explain the tides, please");
  await say(authorization, "And the moon?");
  await settled();
  expect(engine.asked.filter(isQuestionOfOurs)).toHaveLength(1);
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({ user: { used: { requests: 3 }, reserved: { tokens: 0 } } });
  });
});

test("what a title used is in the log as what any turn used: the log tells all that was charged", async () => {
  const authorization = await bearer("named-once", "dora");
  const log = vi.spyOn(console, "log").mockReturnValue();
  await say(authorization, "Explain the tides, please");
  await eventually(async () =>
    expect(await conversation(authorization)).toMatchObject({ title: "Hello there" }),
  );
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    const { user } = await usage.json<{ user: { used: { tokens: number } } }>();
    const lines = log.mock.calls
      .flatMap(([text]) => String(text).split("\n"))
      .filter((line) => line.includes('"endpoint":"generation"') && line.includes('"named-once"'))
      .map((line) => JSON.parse(line) as { promptTokens: number; completionTokens: number });
    expect(lines).toHaveLength(2);
    const logged = lines.reduce((sum, line) => sum + line.promptTokens + line.completionTokens, 0);
    expect(logged).toBe(user.used.tokens);
    expect(logged).toBeGreaterThan(0);
  });
});

test("a model that can't be asked costs a title nothing: the rule's stays, and the turn stands", async () => {
  const authorization = await bearer("wrong-name", "bob");
  await say(authorization, "Explain the tides");
  await eventually(async () =>
    expect(await conversation(authorization)).toMatchObject({ title: "Explain the tides" }),
  );
  await settled();
});

test("what will soon not fit is put in short, in steps; in between the prompt begins with the same bytes", async () => {
  const authorization = await bearer("shortens", "cem");
  const long = "word ".repeat(3000);
  const heads: string[] = [];
  for (let turn = 0; turn < 14; turn += 1) {
    engine.tokens = [`answer ${turn}`];
    await say(authorization, `question ${turn} ${long}`);
    await settled();
    const prompt = messages(engine.asked.findLast((body) => !isQuestionOfOurs(body)));
    // In one system message with the instructions: templates refuse a second.
    expect(prompt.map(({ role }) => role).indexOf("user")).toBe(1);
    expect(prompt[0]?.content.startsWith("Be kind.")).toBe(true);
    // Nothing is ever cut: what does not fit any more is in the summary.
    expect(JSON.stringify(prompt).length).toBeLessThan(32_768 * 5);
    heads.push(prompt[0]?.content.slice("Be kind.".length) ?? "");
  }
  const summaries = engine.asked.filter(isQuestionOfOurs);
  expect(summaries.length).toBeGreaterThan(1);
  // The second one is made from the first, and from what came since.
  expect(messages(summaries[1])[1]?.content).toContain("Summary of what came before:");
  expect(messages(summaries[1])[1]?.content).not.toContain("question 0 ");
  // As many different heads as there were summaries in time, each in one stretch.
  const steps = heads.filter((head, at) => at === 0 || head !== heads[at - 1]);
  expect(new Set(steps).size).toBe(steps.length);
  expect(steps[0]).toBe("");
  expect(steps.length).toBeLessThanOrEqual(summaries.length + 1);
  expect(steps.length).toBeLessThan(heads.length / 2);
  expect(steps.at(-1)).toContain("What was said earlier in this conversation");
});
