/** The pass over an answer that changes engines: whatever was said where, the client reads one answer. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { createAnswerGuard } from "../safety/answer-guard.ts";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { continueAnswer } from "../turn/continuation.ts";
import type { AnswerPassOptions } from "./answer-options.ts";
import { AnswerPass } from "./answer-pass.ts";
import type { AnswerContinuer, Resumption } from "./resumption.ts";
import { Transcript } from "./transcript.ts";

const record = modelRecord({ id: "llama", served_name: "meta/Llama-3.1", context_window: 8192 });
const promptTokens = 11;

function chunk(delta: object, finish: string | null, completion: number, prompt = promptTokens): string {
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: "e", object: "chat.completion.chunk", created: 1, model: "m", choices, usage })}\n\n`;
}

/** A whole answer of an engine, one event a token. */
function answerOf(tokens: readonly string[]): string[] {
  return [
    chunk({ role: "assistant", content: "" }, null, 0),
    ...tokens.map((content, at) => chunk({ content }, null, at + 1)),
    chunk({ content: "" }, "stop", tokens.length),
    "data: [DONE]\n\n",
  ];
}

/** `text` in pieces of the given lengths, which may halve a surrogate pair. */
function split(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const length of [...lengths, text.length]) {
    if (at >= text.length) break;
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

interface Engines {
  readonly whole: string;
  /** Of each engine in turn: how it splits its text, and after how many tokens it breaks. */
  readonly breaks: readonly { readonly lengths: readonly number[]; readonly after: number }[];
  readonly body?: object;
  readonly options?: Partial<AnswerPassOptions>;
}

async function run({ whole, breaks, body = {}, options = {} }: Engines) {
  const transcript = new Transcript();
  const asked = JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 1000, ...body });
  const left = [...breaks];
  const prefixes: string[] = [];
  /** What the next engine says, given what was said: as a deterministic model goes on. */
  const next = (said: string): { readonly events: readonly string[]; readonly breaks: boolean } => {
    const one = left.shift();
    const rest = whole.slice(said.length);
    const tokens = split(rest, one?.lengths ?? [rest.length]);
    const events = answerOf(tokens);
    return one === undefined || one.after >= tokens.length
      ? { events, breaks: false }
      : { events: events.slice(0, 1 + one.after), breaks: true };
  };
  let answer = next("");
  const continuer: AnswerContinuer = {
    transcript,
    keptTokens: () => null,
    goOn: () => {
      const plan = continueAnswer({ path: "/v1/chat/completions", body: asked }, transcript, record);
      if (plan.kind !== "ask") return null;
      const { messages } = JSON.parse(plan.body) as { messages: { role: string; content: string }[] };
      const last = messages.at(-1);
      prefixes.push(last?.role === "assistant" ? last.content : "");
      answer = next(plan.cut.prefix);
      const found: Resumption = { ...plan, kind: "source", firstChunk: null, body: new ReadableStream() };
      return Promise.resolve(found);
    },
  };
  const pass = new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "chatcmpl-ours",
    model: "m",
    createdMs: 0,
    choices: 1,
    includeUsage: false,
    promptTokens,
    continuer,
    ...options,
  });
  const written: (Uint8Array | undefined)[] = [];
  for (;;) {
    for (const event of answer.events) written.push(pass.push(new TextEncoder().encode(event)));
    if (pass.ended !== null || !answer.breaks) break;
    written.push(pass.finish("source-failed"));
    if (pass.pending === null) break;
    await pass.pending;
    written.push(pass.resume());
    pass.takeSource();
  }
  const text = written.map((bytes) => (bytes === undefined ? "" : new TextDecoder().decode(bytes))).join("");
  const events = text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map(
      (event) => JSON.parse(event.slice(6)) as { choices?: { delta: { content?: string; role?: string } }[] },
    );
  const deltas = events.flatMap(({ choices }) => (choices ?? []).map(({ delta }) => delta));
  return {
    content: deltas.map(({ content }) => content ?? "").join(""),
    roles: deltas.filter(({ role }) => role !== undefined).length,
    text,
    pass,
    prefixes,
  };
}

const letters = fc.string({
  unit: fc.constantFrom("a", "b", " ", "\n", "\u{1F9EA}", "\u00a0", "\u0085", "é", "."),
  maxLength: 30,
});
const engine = fc.record({ lengths: fc.array(fc.integer({ min: 1, max: 4 })), after: fc.nat(12) });

test("one answer is read, wherever its engines break and however they cut it", async () => {
  await fc.assert(
    fc.asyncProperty(
      letters,
      fc.array(engine, { maxLength: 3 }),
      fc.boolean(),
      async (whole, breaks, sampled) => {
        const { content, roles, pass, prefixes } = await run({
          whole,
          breaks,
          body: { temperature: sampled ? 1 : 0 },
        });
        expect(content).toBe(whole);
        expect(roles).toBe(1);
        expect(pass.ended).toBe("done");
        for (const prefix of prefixes) {
          expect(prefix).toBe(prefix.trimEnd());
          expect(prefix.isWellFormed()).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("a stop string ends it at the same place, wherever the seam lies in it", async () => {
  const stop = "healthy\nand";
  const whole = `that are ${stop} picks the one`;
  for (let after = 1; after < whole.length; after += 1) {
    // Engines that show what could still become a stop string, as they do where it is to be shown.
    const broken = { lengths: Array.from({ length: whole.length }, () => 1), after };
    const { content, pass } = await run({
      whole,
      breaks: after < whole.indexOf(stop) + stop.length ? [broken] : [],
      body: { stop: [stop], include_stop_str_in_output: true, temperature: 0 },
    });
    // The second engine finds the stop string where it begins behind the seam: this one never ends by itself.
    const isAcross = after > whole.indexOf(stop) && after < whole.indexOf(stop) + stop.length;
    if (isAcross) expect(content).toBe(`that are ${stop}`);
    expect(pass.ended).toBe("done");
  }
});

describe("the guard sees one text", () => {
  const policy = safetyPolicySchema.parse({ output: { action: "mask" } });
  const whole = "Write to jane.doe@example.com or to \u{1F9EA} +1, today. Card 4111 1111 1111 1111.";

  test("so that what it masks is masked across a seam, and nothing of it is told twice", async () => {
    const masked = async (breaks: Engines["breaks"]) => {
      const filter = createAnswerGuard(policy, { contentIsJson: false });
      return run({ whole, breaks, options: filter === undefined ? {} : { filter } });
    };
    const lengths = Array.from({ length: whole.length }, () => 3);
    const undisturbed = (await masked([])).content;
    expect(undisturbed).not.toContain("jane");
    expect(undisturbed).not.toContain("4111");
    for (let after = 1; after < whole.length / 3; after += 1)
      expect((await masked([{ lengths, after }])).content).toBe(undisturbed);
  });
});

test("an engine that begins to think where it should go on ends the answer with one error event", async () => {
  const transcript = new Transcript();
  const plan = () => {
    const next = continueAnswer(
      { path: "/v1/chat/completions", body: JSON.stringify({ messages: [] }) },
      transcript,
      record,
    );
    if (next.kind !== "ask") throw new Error("it may go on");
    return Promise.resolve<Resumption>({
      ...next,
      kind: "source",
      firstChunk: null,
      body: new ReadableStream(),
    });
  };
  const pass = new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "chatcmpl-ours",
    model: "m",
    createdMs: 0,
    choices: 1,
    includeUsage: false,
    promptTokens,
    continuer: { transcript, keptTokens: () => null, goOn: plan },
  });
  const push = (event: string) => {
    const bytes = pass.push(new TextEncoder().encode(event));
    return bytes === undefined ? "" : new TextDecoder().decode(bytes);
  };
  push(chunk({ content: "One" }, null, 1));
  pass.finish("source-ended");
  await pass.pending;
  pass.resume();
  expect(push(chunk({ reasoning: "Hm" }, null, 1))).toContain('"error"');
  expect(pass.ended).toBe("origin-error");
});
