import { expect, test } from "vitest";
import { storedItems, writeStored } from "./stored-response.ts";

test("whoever goes on from a response reads its words, and not what they cite or how likely they were", () => {
  const question = { type: "message", role: "user", status: "completed", content: [] } as const;
  const part = {
    type: "output_text",
    text: "So [1].",
    annotations: [{ url: "x" }],
    logprobs: [{ token: "So" }],
  };
  const answer = { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [part] };
  const output = [{ id: "fs_1", type: "file_search_call", status: "completed" }, answer];
  const input = [{ id: "msg_0", ...question }];
  expect(storedItems(writeStored(JSON.stringify({ output }), { input, ancestors: [] }))).toEqual([
    ...input,
    { ...answer, content: [{ ...part, annotations: [], logprobs: [] }] },
  ]);
});
