import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { type SafetyPolicy, safetyPolicySchema } from "./safety-policy.ts";
import { type ScreenDeps, screenPrompt } from "./screen-prompt.ts";

const card = "4532015112830366";

function policy(input: object, whenSlow: SafetyPolicy["when_slow"] = "closed"): SafetyPolicy {
  return safetyPolicySchema.parse({ input, when_slow: whenSlow });
}

function user(content: ChatMessage["content"]): ChatMessage[] {
  return [{ role: "user", content }];
}

const nobody: ScreenDeps = {};

test("by default nothing is screened, and nothing waits", () => {
  const messages = user(card);
  expect(screenPrompt(messages, policy({}), nobody)).toEqual({
    kind: "passed",
    messages,
    findings: [],
    unscreened: false,
  });
});

test("flag reports, mask covers, block refuses with the kinds and never the text", async () => {
  const messages = user(`My card is ${card}.`);
  const flagged = await screenPrompt(messages, policy({ action: "flag" }), nobody);
  expect(flagged).toMatchObject({ kind: "passed", findings: [{ text: 0, span: { start: 11, end: 27 } }] });
  expect(flagged.kind === "passed" && flagged.messages).toBe(messages);
  expect(await screenPrompt(messages, policy({ action: "mask" }), nobody)).toMatchObject({
    messages: [{ role: "user", content: "My card is [card number]." }],
  });
  const blocked = await screenPrompt(messages, policy({ kinds: { "payment-card": "block" } }), nobody);
  expect(blocked).toMatchObject({
    kind: "refused",
    refusal: { kind: "content-refused", categories: ["payment-card"] },
  });
  expect(JSON.stringify(blocked)).not.toContain(card);
});

test("text parts and the strings in tool calls' arguments are covered, and stay JSON", async () => {
  const messages: ChatMessage[] = [
    ...user([{ type: "text", text: "a@b.co" }, { type: "image_url" }]),
    {
      role: "assistant",
      content: null,
      tool_calls: [
        {
          id: "1",
          type: "function",
          function: { name: "f", arguments: `{"to":"a@b.co","n":[1,"${card}"]}` },
        },
      ],
    },
    { role: "tool", tool_call_id: "1", content: "sent to a@b.co" },
  ];
  const result = await screenPrompt(messages, policy({ action: "mask" }), nobody);
  if (result.kind !== "passed") throw new Error(result.kind);
  expect(result.messages).toEqual([
    { role: "user", content: [{ type: "text", text: "[e-mail address]" }, { type: "image_url" }] },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        {
          id: "1",
          type: "function",
          function: { name: "f", arguments: '{"to":"[e-mail address]","n":[1,"[card number]"]}' },
        },
      ],
    },
    { role: "tool", tool_call_id: "1", content: "sent to [e-mail address]" },
  ]);
  expect(result.findings).toHaveLength(4);
});

test("reasoning and speakers' names are screened, since templates print both", async () => {
  const messages: ChatMessage[] = [
    { role: "user", name: "a@b.co", content: "Hi" },
    { role: "assistant", content: "Done.", reasoning: `It was ${card}.`, reasoning_content: "Ask a@b.co" },
  ];
  const masked = await screenPrompt(messages, policy({ action: "mask" }), nobody);
  expect(masked).toMatchObject({
    messages: [
      { role: "user", name: "[e-mail-address]", content: "Hi" },
      {
        role: "assistant",
        content: "Done.",
        reasoning: "It was [card number].",
        reasoning_content: "Ask [e-mail address]",
      },
    ],
  });
  expect(await screenPrompt(messages, policy({ action: "block" }), nobody)).toMatchObject({
    kind: "refused",
    refusal: { categories: ["email", "payment-card"] },
  });
});

test("a prompt beyond what can be screened in time counts as slow", async () => {
  const messages = user("x".repeat(4_000_001));
  for (const action of ["mask", "block"])
    expect(
      await screenPrompt(messages, policy({ action: "flag", kinds: { email: action } }), nobody),
    ).toMatchObject({
      kind: "refused",
      refusal: { kind: "value-invalid", message: expect.stringContaining("4000000 characters") as string },
    });
  const begun = [...user("a@b.co"), ...messages];
  expect(await screenPrompt(begun, policy({ action: "mask" }, "open"), nobody)).toMatchObject({
    unscreened: true,
    messages: [{ content: "[e-mail address]" }, {}],
  });
});

describe("where a policy is to flag alone, a text that is too long to be judged is said to be unjudged, and refused by nobody", () => {
  test("by patterns", async () => {
    const messages = [...user("a@b.co"), ...user("x".repeat(4_000_001))];
    expect(await screenPrompt(messages, policy({ action: "flag" }), nobody)).toMatchObject({
      kind: "passed",
      messages,
      unscreened: true,
      findings: [{ span: { kind: "email" } }, { span: { kind: "unscreened" } }],
    });
  });

  test("for attacks: a program's text is refused if it would have been cleaned", async () => {
    const long = "x ".repeat(250_001);
    const injection = { user: "flag", data: "strip" };
    const tool: ChatMessage = { role: "tool", tool_call_id: "1", content: long };
    const of = (messages: ChatMessage[]) =>
      screenPrompt(messages, safetyPolicySchema.parse({ injection }), nobody);
    expect(await of(user(long))).toMatchObject({ kind: "passed", unscreened: true });
    expect(await of([tool, ...user("Hi")])).toMatchObject({
      kind: "refused",
      refusal: { kind: "value-invalid" },
    });
  });

  test("for harm: the part that fits is judged", async () => {
    const messages = [...user("x ".repeat(75_000)), ...user("All immigrants are filthy vermin.")];
    const moderation = { input: "flag" };
    const screened = await screenPrompt(messages, safetyPolicySchema.parse({ moderation }), nobody);
    if (screened.kind !== "passed") throw new Error(screened.kind);
    expect([...(screened.harm ?? new Map()).keys()]).toEqual(expect.arrayContaining(["hate", "unmoderated"]));
    expect(
      await screenPrompt(
        user("x ".repeat(75_001)),
        safetyPolicySchema.parse({ moderation: { input: "block" } }),
        nobody,
      ),
    ).toMatchObject({ kind: "refused", refusal: { kind: "value-invalid" } });
  });
});

describe("what is JSON is read as whoever parses it will", () => {
  const call = (args: string): ChatMessage => ({
    role: "assistant",
    content: null,
    tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: args } }],
  });
  const said = async (message: ChatMessage): Promise<string> => {
    const result = await screenPrompt([message], policy({ action: "mask" }), nobody);
    if (result.kind !== "passed") throw new Error(result.kind);
    const [screened] = result.messages;
    const calls = screened?.tool_calls as { function: { arguments: string } }[] | undefined;
    const content = typeof screened?.content === "string" ? screened.content : "";
    return calls?.[0]?.function.arguments ?? content;
  };
  const kinds: [string, (text: string) => ChatMessage][] = [
    ["a tool's result", (content) => ({ role: "tool", tool_call_id: "1", content })],
    ["a function's result", (content) => ({ role: "function", name: "f", content })],
    ["a call's arguments", call],
  ];

  test.each(kinds)("%s: escapes mean their characters", async (_, message) => {
    const text = String.raw`{ "to" : "alice\u0040example.com",  "cc":["\n${card}"] }`;
    expect(await said(message(text))).toBe(
      String.raw`{ "to" : "[e-mail address]",  "cc":["\n[card number]"] }`,
    );
  });

  test.each(kinds)(
    "%s: a number that is masked becomes a string, and a name is masked too",
    async (_, message) => {
      const text = `{"card":${card},"a@b.co":{"quote":"\\"","cards":[${card}]}}`;
      expect(await said(message(text))).toBe(
        '{"card":"[card number]","[e-mail address]":{"quote":"\\"","cards":["[card number]"]}}',
      );
    },
  );

  test.each(kinds)("%s: what nobody can parse is read as it is written", async (_, message) => {
    expect(await said(message(`{"to": a@b.co`))).toBe('{"to": [e-mail address]');
  });

  test("a user's text is never read as JSON", async () => {
    const text = String.raw`{"path":"C:\u0040"}`;
    expect(await said({ role: "user", content: text })).toBe(text);
    const shown = String.raw`["alice\u0040example.com"]`;
    expect(await said({ role: "user", content: shown })).toBe(shown);
  });

  test("masked JSON stays JSON, with everything else unchanged", async () => {
    const leaf = fc.oneof(
      fc.constantFrom("a@b.co", card, `tell ${card} and "a@b.co"`),
      fc.string(),
      fc.constant(Number(card)),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.array(value), fc.dictionary(fc.string(), value)), async (whole) => {
        const text = await said(call(JSON.stringify(whole)));
        expect(() => void JSON.parse(text)).not.toThrow();
        expect(text).not.toContain(card);
        expect(text).not.toContain("a@b.co");
      }),
    );
  });
});
