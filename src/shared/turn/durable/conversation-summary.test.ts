import { expect, test } from "vitest";
import { estimateTokens } from "../../prompt/token-estimate.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import { summaryQuestion } from "./conversation-summary.ts";

function asked(messages: readonly ChatMessage[], mostTokens: number): string {
  const content = summaryQuestion(null, itemsOfMessages(messages), mostTokens)[1]?.content;
  return typeof content === "string" ? content : "";
}

test("a model that puts a conversation in short reads all of it, what was called beside what was said as well", () => {
  const text = asked(
    [
      { role: "user", content: "Where is order 7?" },
      {
        role: "assistant",
        content: "I look.",
        tool_calls: [{ id: "c", type: "function", function: { name: "get_order", arguments: '{"id":"7"}' } }],
      },
      { role: "tool", tool_call_id: "c", content: "In Rome." },
    ],
    1000,
  );
  expect(text).toContain("user: Where is order 7?");
  expect(text).toContain('assistant: I look.\n[calls get_order with {"id":"7"}]');
  expect(text).toContain("tool: In Rome.");
});

test.each(["word ", "語彙"])("a turn that is longer than its window is read at both ends: %s", (word) => {
  const long = `First. ${word.repeat(20_000)} Last.`;
  const text = asked(
    [
      { role: "user", content: "Short?" },
      { role: "user", content: long },
    ],
    2000,
  );
  expect(text).toContain("user: Short?");
  expect(text).toContain("user: First.");
  expect(text).toContain("[…]");
  expect(text).toContain(" Last.");
  expect(estimateTokens(text)).toBeLessThan(2300);
});
