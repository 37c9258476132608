import { expect, test } from "vitest";
import { withSingleToolCalls } from "./single-tool-calls.ts";

const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
const answer = (id: string) => ({ role: "tool", tool_call_id: id, content: `result ${id}` });

test("parallel calls become single ones, each with its own result, whatever order the results came in", () => {
  const messages = [
    { role: "user", content: "both" },
    { role: "assistant", content: "Let me see.", tool_calls: [call("a"), call("b")] },
    answer("b"),
    answer("a"),
    { role: "user", content: "and?" },
  ];
  expect(withSingleToolCalls(messages)).toEqual([
    messages[0],
    { role: "assistant", content: "Let me see.", tool_calls: [call("a")] },
    answer("a"),
    { role: "assistant", content: null, tool_calls: [call("b")] },
    answer("b"),
    messages[4],
  ]);
});

test("a result that belongs to no call is kept, and single calls are left as they are", () => {
  const odd = [{ role: "assistant", content: null, tool_calls: [call("a"), call("b")] }, answer("x")];
  expect(withSingleToolCalls(odd).at(-1)).toBe(odd[1]);
  const single = [{ role: "assistant", content: null, tool_calls: [call("a")] }, answer("a")];
  expect(withSingleToolCalls(single)).toBe(single);
});
