import { expect, test } from "vitest";
import { AnswerCollector } from "../stream/answer-collector.ts";
import { AnswerPass } from "../stream/answer-pass.ts";
import { createAnswerGuard } from "./answer-guard.ts";
import { samples } from "./guard-fixture.ts";
import { safetyPolicySchema } from "./safety-policy.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An engine's stream of `text` in pieces of `size` characters. */
function engineStream(text: string, size: number): string {
  const event = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  let stream = event({ role: "assistant", content: "" }, null);
  for (let at = 0; at < text.length; at += size)
    stream += event({ content: text.slice(at, at + size) }, null);
  return `${stream}${event({}, "stop")}data: [DONE]\n\n`;
}

function send(text: string, size: number, action: "flag" | "mask" | "block") {
  const guard = createAnswerGuard(safetyPolicySchema.parse({ output: { action } }), { contentIsJson: false });
  if (guard === undefined) throw new Error("the guard is on");
  const collect = new AnswerCollector(100_000, false);
  const pass = new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "chatcmpl-1",
    model: "m",
    createdMs: 0,
    choices: 1,
    includeUsage: false,
    promptTokens: 1,
    filter: guard,
    collect,
  });
  const wire = decoder.decode(pass.push(encoder.encode(engineStream(text, size))));
  return { wire, pass, guard, content: collect.choices[0]?.content ?? "" };
}

test("without a policy the pass has no guard", () => {
  expect(createAnswerGuard(safetyPolicySchema.parse({}), { contentIsJson: true })).toBeUndefined();
});

test("through the whole pass no value leaves, in tokens of 1, 3 and all characters", () => {
  for (const { kind, value } of samples()) {
    const text = `Line one.\nIt is "${value}" - ok?`;
    for (const size of [1, 3, text.length]) {
      const masked = send(text, size, "mask");
      expect(masked.pass.ended).toBe("done");
      expect(masked.content).toMatch(/^Line one\.\nIt is "\[[^\]]+\]" - ok\?$/);
      expect(masked.guard.action).toBe("mask");
      const blocked = send(text, size, "block");
      expect(blocked.pass.ended).toBe("blocked");
      expect('Line one.\nIt is "'.startsWith(blocked.content)).toBe(true);
      expect(blocked.wire).toContain('"finish_reason":"content_filter"');
      expect(blocked.guard.findings).toMatchObject([{ lane: "0/content", span: { kind, start: 17 } }]);
    }
  }
});

test("a flagged answer is sent unchanged, and its findings do not contain its text", () => {
  const text = "Write to alice@example.com.";
  const { content, guard } = send(text, 4, "flag");
  expect(content).toBe(text);
  expect(guard.findings).toEqual([
    {
      lane: "0/content",
      span: { start: 9, end: 26, kind: "email", action: "flag", source: "pattern:email" },
    },
  ]);
});

test("the list of findings is bounded, and further ones are only counted", () => {
  const { guard } = send("a@b.co ".repeat(500), 50, "mask");
  expect([guard.findings.length, guard.found]).toEqual([200, 500]);
});

test("a guard model gets each choice's own text, even if the choices' tokens alternate", () => {
  const policy = safetyPolicySchema.parse({ moderation: { output: "flag", model: "guard" } });
  const guard = createAnswerGuard(policy, { contentIsJson: false });
  if (guard === undefined) throw new Error("the guard is on");
  for (const word of ["one ", "two ", "three"])
    for (const lane of ["0/content", "1/content"] as const) guard.push(lane, word);
  guard.push("0/reasoning", "aside");
  expect(guard.said).toBe("one two three\none two three");
  for (let at = 0; at < 5_000; at += 1) guard.push("1/content", " more");
  expect(guard.said).toHaveLength("one two three\n".length + 6_000);
});

test.each<readonly [boolean, object]>([
  [true, { output: { action: "flag" } }],
  [true, { links: { action: "flag" }, moderation: { output: "flag" } }],
  [false, { output: { action: "flag", kinds: { iban: "mask" } } }],
  [false, { output: { action: "block" } }],
  [false, { output: { action: "flag" }, links: { action: "remove" } }],
  [false, { moderation: { output: "block" } }],
])("changes nothing: %s, under %j", (changesNothing, policy) => {
  const guard = createAnswerGuard(safetyPolicySchema.parse(policy), { contentIsJson: false });
  expect(guard?.changesNothing).toBe(changesNothing);
});
