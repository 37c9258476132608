import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnswerGuard } from "../safety/answer-guard.ts";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { AnswerPass } from "../stream/answer-pass.ts";
import { Transcript } from "../stream/transcript.ts";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { AnsweringEngine } from "./answering-engine.ts";
import { continueAnswer } from "./continuation.ts";
import type { LiveTurn } from "./open-turn.ts";

/** A run that is lost in mid-answer: what its guard held was counted, and nobody had it. */
const record = modelRecord({ id: "llama", served_name: "meta/Llama-3.1", context_window: 8192 });
const links = { links: { action: "remove", allow_hosts: ["example.org"] } } as const;
const policies = {
  masks: { output: { action: "mask" } },
  "blocks harm": { moderation: { output: "block" } },
  "removes links": links,
  "does all of it": { output: { action: "mask" }, moderation: { output: "block" }, ...links },
} as const;
type Policy = keyof typeof policies;

/** An address that no token holds, a sentence's end inside of a token, a link, enough for two blocks. */
const words = (
  'Write to| ann|.smi|th@exa|mple|.org| today|, or| (see "|notes|").| The| page| [is| here](|https://|elsewhere|.example|/p?d=|1)|.\n\n|' +
  "Then we went for a walk by the river, and it was a long and quiet afternoon without any wind at all. In the evening there was soup; and " +
  "nobody said a word about the weather of the day before. So it ended."
)
  .split("|")
  .flatMap((piece) => (piece.startsWith("Then") ? piece.split(/(?= )/) : [piece]));

function guardOf(policy: Policy) {
  const guard = createAnswerGuard(safetyPolicySchema.parse(policies[policy]), { contentIsJson: false });
  if (guard === undefined) throw new Error("a guard is on");
  return guard;
}

const pushed = (policy: Policy, tokens: readonly string[], guard = guardOf(policy)): string =>
  tokens.reduce((text, token) => text + (guard.push("0/content", token) ?? ""), "");

function whole(policy: Policy, tokens: readonly string[]): string {
  const guard = guardOf(policy);
  return pushed(policy, tokens, guard) + (guard.flush("0/content") ?? "");
}

function events(tokens: readonly string[], finish: string | null): Uint8Array {
  const event = (delta: object, count: number, reason: string | null = null): string =>
    `data: ${JSON.stringify({
      choices: [{ index: 0, delta, finish_reason: reason }],
      created: 1,
      usage: { prompt_tokens: 10, completion_tokens: count, total_tokens: 10 + count },
    })}\n\n`;
  const said = tokens.map((content, at) => event({ content }, at + 1)).join("");
  const end = finish === null ? "" : `${event({}, tokens.length, finish)}data: [DONE]\n\n`;
  return new TextEncoder().encode(event({ role: "assistant", content: "" }, 0) + said + end);
}

/** As a run has it: with a guard, and the engine that would go on. */
function passOf(policy: Policy, body: object, said: Transcript | null, begun?: { completionTokens: number }) {
  const prompt = { path: "/v1/chat/completions", body: JSON.stringify({ messages: [], ...body }) } as const;
  const turn = { prompt, answer: { attempts: 1 } } as unknown as LiveTurn;
  const engine = new AnsweringEngine(
    turn,
    { origin: {} as never, now: () => 0 },
    new AbortController().signal,
    said,
  );
  let asked: ReturnType<typeof continueAnswer> | null = null;
  const pass = new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "chatcmpl-1",
    model: "m",
    createdMs: 0,
    choices: 1,
    includeUsage: true,
    promptTokens: 10,
    filter: guardOf(policy),
    continuer: {
      transcript: engine.transcript,
      keptTokens: (held) => engine.keptTokens(held),
      goOn: () => {
        asked = continueAnswer(prompt, engine.transcript, record);
        return Promise.resolve(
          asked.kind === "ask"
            ? { ...asked, kind: "source", firstChunk: null, body: new ReadableStream() }
            : null,
        );
      },
    },
    ...(begun === undefined
      ? {}
      : {
          begun: {
            createdSeconds: 1,
            usage: { promptTokens: 10, cachedTokens: 0, reasoningTokens: 0, ...begun },
          },
        }),
  });
  return { pass, asked: () => asked };
}

function contentOf(bytes: Uint8Array | undefined): string {
  const chunks = new TextDecoder().decode(bytes).split("\n\n");
  return chunks
    .filter((chunk) => chunk.startsWith("data: {"))
    .flatMap(
      (chunk) => (JSON.parse(chunk.slice(6)) as { choices: { delta: { content?: string } }[] }).choices,
    )
    .map(({ delta }) => delta.content ?? "")
    .join("");
}

/** As a model goes on: how many of its tokens it has, and those that it says. One that it has a part of is one token more. */
function behind(prefix: string, tokens: readonly string[]) {
  const read = prefix
    .replace("[e-mail address]", "ann.smith@example.org")
    .replace("#link-removed", "https://elsewhere.example/p?d=1");
  let kept = 0;
  let end = 0;
  for (; end + (tokens[kept]?.length ?? Infinity) <= read.length; kept += 1) end += tokens[kept]?.length ?? 0;
  const [next = "", ...rest] = tokens.slice(kept);
  return { kept, rest: kept === tokens.length ? [] : [next.slice(read.length - end), ...rest] };
}

/** The journal of a run that is lost behind so many tokens, and the run that goes on behind it. */
async function killedBehind(policy: Policy, tokens: readonly string[], count: number, body: object) {
  const first = passOf(policy, body, null).pass;
  const told = contentOf(first.push(events(tokens.slice(0, count), null)));
  const { completionTokens } = first.totals().usage;
  const said = new Transcript(told, completionTokens, first.keptTokens);
  const { pass, asked } = passOf(policy, body, said, { completionTokens });
  pass.finish("source-ended");
  await pass.pending;
  let text = told + contentOf(pass.resume());
  const next = asked();
  if (next === null || next.kind !== "ask") throw new Error(JSON.stringify(next));
  const { messages, max_tokens: maxTokens } = JSON.parse(next.body) as {
    messages: { content: string }[];
    max_tokens: number;
  };
  const prefix = messages.at(-1)?.content ?? "";
  const { kept, rest } = behind(prefix, tokens);
  text += contentOf(pass.push(events(rest, "stop")));
  return { text, kept, maxTokens, totals: pass.totals().usage, ended: pass.ended };
}

describe.each(Object.keys(policies) as Policy[])("a guard that %s", (policy) => {
  test.each([{ temperature: 1 }, { temperature: 0 }])(
    "behind whichever word its run is lost, the answer is whole, counted once, and as long as was asked for: %j",
    async (body) => {
      for (let count = 0; count <= words.length; count += 1) {
        const { text, kept, maxTokens, totals, ended } = await killedBehind(policy, words, count, {
          ...body,
          max_tokens: 500,
        });
        expect([count, text]).toEqual([count, whole(policy, words)]);
        expect([count, maxTokens]).toEqual([count, 500 - kept]);
        expect([count, totals.completionTokens, ended]).toEqual([count, words.length, "done"]);
      }
    },
  );
});

test("tokens of which nothing was told, or a blank alone, are made again, however the text is cut into them", async () => {
  const piece = fc.constantFrom("a", "b.", " ", "\n", "c-", " dd", "(e", "\u{1F9EA}", "");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.nat(40), async (tokens, count) => {
      const { pass } = passOf("masks", {}, null);
      const told = contentOf(pass.push(events(tokens.slice(0, count), null))).trimEnd();
      const { keptTokens } = pass;
      const ends = tokens.slice(0, count).map((_, at, all) => all.slice(0, at + 1).join("").length);
      // The last that showed something of itself within what was told.
      const last = ends.findLastIndex((end, at) => end <= told.length && tokens[at] !== "");
      if (keptTokens === null) expect(told).toBe(tokens.slice(0, count).join("").trimEnd());
      else if (told === "") expect(keptTokens).toBe(0);
      else {
        // Of a character that several tokens made, which of them are told is not known.
        const silent = tokens.slice(last + 1).findIndex((token) => token !== "");
        expect(keptTokens).toBeGreaterThanOrEqual(last + 1);
        expect(keptTokens).toBeLessThanOrEqual(last + 1 + Math.max(0, silent));
      }
    }),
    { numRuns: 500 },
  );
});
