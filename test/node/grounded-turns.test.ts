/** A direct turn that is told of files: what the model reads, what the client gets, and what is paid for it. */
import { describe, expect, test } from "vitest";
import { ok } from "../../src/shared/contracts/result.ts";
import type { Citation } from "../../src/shared/grounding/citations.ts";
import type { FoundPassage } from "../../src/shared/retrieval/passage.ts";
import type { KnowledgeSource } from "../../src/shared/retrieval/ports.ts";
import { expectOneEnding, fakeClock } from "./fault-fixture.ts";
import { hasOpenAiSchema, openAiComplaints } from "./openai-schema.ts";
import { turnWorld, underClock, type TurnResult } from "./turn-world.ts";

fakeClock();

const passages: readonly FoundPassage[] = [
  "Devices may be returned within thirty days of purchase.",
  "Our office plants are watered on Tuesdays.",
  "A returned device must be in its original box.",
].map((text, ordinal) => ({
  fileId: `file-${ordinal}`,
  filename: `rules-${ordinal}.md`,
  attributes: {},
  ordinal,
  text,
  start: 100 * ordinal,
  end: 100 * ordinal + text.length,
  score: 0.9 - ordinal / 10,
}));
const knowledge: KnowledgeSource = {
  search: () => Promise.resolve(ok({ passages, contentVersion: "1" })),
};
const system = { role: "system", content: "You are the shop's assistant." };
const question = { role: "user", content: "When may devices be returned, and in which box?" };
const chat = { model: "llama-3.1-8b", messages: [system, question], max_tokens: 200 };
const retrieval = { vector_store_ids: ["vs_1"] };

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly citations?: readonly Citation[];
  readonly usage?: object;
}

function chunksOf({ text }: TurnResult): Chunk[] {
  return (text ?? "")
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice(6)) as Chunk);
}

const cited = [
  { index: 1, file_id: "file-0", filename: "rules-0.md", text: passages[0]?.text },
  { index: 3, file_id: "file-2", filename: "rules-2.md", text: passages[2]?.text },
];

describe("what the client gets", () => {
  test("a stream's last chunk before the usage says what the answer cites, and no other does", async () => {
    const world = turnWorld({ replicas: 1, knowledge });
    const stream = { ...chat, retrieval, stream: true, stream_options: { include_usage: true } };
    const result = await underClock(world.chat(stream));
    const chunks = chunksOf(result);
    const said = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
    expect(said).toContain("[1]");
    const withCitations = chunks.filter(({ citations }) => citations !== undefined);
    expect(withCitations).toHaveLength(1);
    expect(withCitations[0]).toMatchObject({ choices: [{ finish_reason: "stop" }], citations: cited });
    expect(chunks.at(-2)).toBe(withCitations[0]);
    expect(chunks.at(-1)?.usage).toBeDefined();
    expect(result.text).toMatch(/data: \[DONE\]\n\n$/);
    expectOneEnding(result);
    if (hasOpenAiSchema)
      for (const chunk of chunks)
        expect(openAiComplaints("CreateChatCompletionStreamResponse", chunk)).toEqual([]);
  });

  test.each([
    ["that is asked for whole", {}],
    ["that is assembled here", { max_tokens: undefined }],
  ])("an answer %s carries them, too", async (_, more) => {
    const world = turnWorld({ replicas: 1, knowledge });
    const result = await underClock(world.chat({ ...chat, ...more, retrieval }));
    const answer = JSON.parse(result.text ?? "null") as object;
    expect(answer).toMatchObject({ object: "chat.completion", citations: cited });
    if (hasOpenAiSchema) expect(openAiComplaints("CreateChatCompletionResponse", answer)).toEqual([]);
  });

  test('stream_format "text" says them in its last event', async () => {
    const world = turnWorld({ replicas: 1, knowledge });
    const result = await underClock(world.chat({ ...chat, retrieval, stream: true, stream_format: "text" }));
    const events = chunksOf(result) as unknown as { done: boolean; citations?: unknown }[];
    expect(events.at(-1)).toMatchObject({ done: true, finish_reason: "stop", citations: cited });
    expect(events.slice(0, -1).every(({ citations }) => citations === undefined)).toBe(true);
  });

  test("several answers say together what they cite, behind the last of them", async () => {
    const world = turnWorld({ replicas: 1, knowledge });
    const result = await underClock(world.chat({ ...chat, retrieval, stream: true, n: 2, temperature: 1 }));
    const last = chunksOf(result).filter(({ choices }) => choices[0]?.finish_reason != null);
    expect(last).toHaveLength(2);
    expect(last.map(({ citations }) => citations?.length)).toEqual([undefined, 2]);
  });

  test("an answer that goes on with another engine cites as if nothing had happened", async () => {
    const world = turnWorld({ replicas: 2, knowledge });
    world.faultNext({ fault: "cut_after", after: 12, times: 1 });
    const result = await underClock(world.chat({ ...chat, retrieval, stream: true }));
    expect(result.endings[0]?.engine.continued).toBe(1);
    expect(chunksOf(result).at(-1)).toMatchObject({ citations: cited });
  });

  test("where nothing was found there is nothing to cite, and the answer says so", async () => {
    const nothing = { search: () => Promise.resolve(ok({ passages: [], contentVersion: "1" })) };
    const world = turnWorld({ replicas: 1, knowledge: nothing });
    const result = await underClock(world.chat({ ...chat, retrieval }));
    expect(JSON.parse(result.text ?? "null")).toMatchObject({ citations: [] });
    expect(JSON.stringify(world.asked)).not.toContain("passage");
  });

  test("who asks for none gets an answer that knows nothing of citations", async () => {
    const tenant = { retrieval: { default_vector_store_ids: ["vs_d"] } };
    const world = turnWorld({ replicas: 1, knowledge, tenant });
    const without = await underClock(world.chat({ ...chat, retrieval: false }));
    expect(JSON.parse(without.text ?? "null")).not.toHaveProperty("citations");
    const byDefault = await underClock(world.chat(chat));
    expect(JSON.parse(byDefault.text ?? "null")).toMatchObject({ citations: cited });
  });
});

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

describe("what the model reads", () => {
  test("the prompt's head is the same whatever was found: the passages stand in front of the question", async () => {
    const world = turnWorld({ replicas: 1, knowledge });
    const earlier = [
      { role: "user", content: "Hello, I bought a device last week." },
      { role: "assistant", content: "How can I help you?" },
    ];
    const messages = [system, ...earlier, question];
    await underClock(world.chat({ ...chat, messages, retrieval }));
    await underClock(world.chat({ ...chat, messages }));
    const [grounded, plain] = world.asked.map(({ body }) => body as unknown as Asked);
    expect(grounded?.messages.slice(0, -1)).toEqual(plain?.messages.slice(0, -1));
    expect(grounded?.messages.at(-1)?.content).toMatch(/^<passages>\n[^]*<\/passages>\n\nWhen may devices/);
    expect(grounded).not.toHaveProperty("retrieval");
  });

  test("the passages are prompt: reserved, and paid", async () => {
    const world = turnWorld({ replicas: 1, knowledge });
    const usageOf = async (body: object): Promise<{ prompt: number; charged: number }> => {
      const result = await underClock(world.chat({ ...body }));
      const { usage } = JSON.parse(result.text ?? "null") as {
        usage: { prompt_tokens: number; total_tokens: number };
      };
      expect(result.charged).toHaveLength(1);
      expect(result.charged[0]?.tokens).toBe(usage.total_tokens);
      return { prompt: usage.prompt_tokens, charged: result.charged[0]?.tokens ?? 0 };
    };
    const plain = await usageOf(chat);
    const grounded = await usageOf({ ...chat, retrieval });
    expect(grounded.prompt).toBeGreaterThan(plain.prompt + 60);
  });
});

test("retrieval over its budget, or unreachable: the answer is given without, and says that it was", async () => {
  const late = turnWorld({ replicas: 1, knowledge: { search: () => new Promise(() => undefined) } });
  const answered = await underClock(late.chat({ ...chat, retrieval }));
  expect(answered.grounding).toEqual({ queries: [question.content], passages: [], fault: "late" });
  expect(JSON.parse(answered.text ?? "null")).toMatchObject({ citations: [] });
  const down = turnWorld({ replicas: 1, knowledge: { search: () => Promise.reject(new Error("down")) } });
  const other = await underClock(down.chat({ ...chat, retrieval }));
  expect(other.grounding?.fault).toBe("unreachable");
  expectOneEnding(other);
});

test("a store that is gone when it is asked for refuses the turn, and nothing is paid", async () => {
  const gone = { search: () => Promise.resolve({ ok: false, error: { kind: "object-unknown" } } as const) };
  const result = await underClock(turnWorld({ replicas: 1, knowledge: gone }).chat({ ...chat, retrieval }));
  expect(result.refused).toBe("object-unknown");
  expect(result.charged).toEqual([expect.objectContaining({ tokens: 0, requests: 0 })]);
});

test("files that make a prompt too long by the engine's own count alone give way: the answer is given without", async () => {
  // Two tokens a word for the engine, one for our estimate, by which there is room for it.
  const text = "extraordinary ".repeat(4_500);
  const [first] = passages;
  const found = first === undefined ? [] : [{ ...first, text, end: text.length }];
  const large: KnowledgeSource = {
    search: () => Promise.resolve(ok({ passages: found, contentVersion: "1" })),
  };
  const world = turnWorld({ replicas: 1, knowledge: large });
  const content = `Say hello. ${"word ".repeat(25_000)}`;
  const body = { model: "llama-3.1-8b", messages: [{ role: "user", content }], max_tokens: 50, retrieval };
  const result = await underClock(world.chat(body));
  const asked = world.asked.map((one) => JSON.stringify(one.body));
  expect(asked.map((one) => one.includes("<passages>"))).toEqual([true, false]);
  expect(result.refused).toBeNull();
  expect(result.grounding).toMatchObject({ passages: [], unshown: 1 });
  expect(JSON.parse(result.text ?? "null")).toMatchObject({ citations: [] });
  expectOneEnding(result);
});
