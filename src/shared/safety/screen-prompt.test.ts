import { expect, test } from "vitest";
import type { ChatMessage } from "../prompt/chat-message.ts";
import { type SafetyPolicy, safetyPolicySchema } from "./safety-policy.ts";
import { type PromptDetector, type ScreenDeps, screenPrompt } from "./screen-prompt.ts";

const card = "4532015112830366";
const never: ScreenDeps["timer"] = () => () => undefined;
const atOnce: ScreenDeps["timer"] = (_, fire) => {
  fire();
  return () => undefined;
};

function policy(input: object, whenSlow: SafetyPolicy["when_slow"] = "closed"): SafetyPolicy {
  return safetyPolicySchema.parse({ input, when_slow: whenSlow });
}

function user(content: ChatMessage["content"]): ChatMessage[] {
  return [{ role: "user", content }];
}

const nobody: ScreenDeps = { detectors: [], timer: never };

test("by default nothing is looked at, and nobody waits", () => {
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

function detector(answer: () => Promise<never[][]> | ReturnType<PromptDetector["detect"]>): PromptDetector {
  return { name: "model", detect: answer };
}

test("a detector's spans join the patterns', and overlapping masks cover both", async () => {
  const wide = detector(async () => [
    [{ start: 0, end: 15, source: "model", kind: "payment-card", action: "mask" }],
  ]);
  const deps = { detectors: [wide], timer: never };
  expect(await screenPrompt(user(`My card is ${card}.`), policy({ action: "mask" }), deps)).toMatchObject({
    messages: [{ content: "[card number]." }],
  });
});

test.each([
  ["slow", { detectors: [detector(() => new Promise(() => undefined))], timer: atOnce }],
  ["broken", { detectors: [detector(() => Promise.reject(new Error("down")))], timer: never }],
])(
  "a %s detector refuses under closed, and lets through what the patterns masked under open",
  async (_, deps) => {
    const messages = user("a@b.co");
    expect(await screenPrompt(messages, policy({ action: "mask" }), deps)).toMatchObject({
      kind: "refused",
      refusal: { kind: "dependency-unavailable", component: "safety" },
    });
    expect(await screenPrompt(messages, policy({ action: "mask" }, "open"), deps)).toMatchObject({
      kind: "passed",
      messages: [{ content: "[e-mail address]" }],
      unscreened: true,
    });
  },
);

test("a prompt beyond what can be screened in time counts as slow", async () => {
  const messages = user("x".repeat(4_000_001));
  expect(await screenPrompt(messages, policy({ action: "flag" }), nobody)).toMatchObject({ kind: "refused" });
  expect(await screenPrompt(messages, policy({ action: "flag" }, "open"), nobody)).toMatchObject({
    unscreened: true,
  });
});
