import { expect, test } from "vitest";
import { sizeOf } from "./remembered.ts";
import { namedItems, storedItems, writeStored } from "./stored-response.ts";

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

test("whoever goes on from a response reads what its files say, and holds none of their bytes; who names its items gets both", () => {
  const read = { type: "input_file", filename: "a.txt", texts: ["One"], has_pages: false } as const;
  const file_data = "T25l".repeat(100_000);
  const message = { type: "message", role: "user", status: "completed" } as const;
  const input = [{ id: "msg_0", ...message, content: [{ ...read, file_data }] }];
  const stored = writeStored(JSON.stringify({ object: "response", output: [] }), { input, ancestors: [] });
  const items = storedItems(stored);
  expect(items).toEqual([{ id: "msg_0", ...message, content: [read] }]);
  expect(sizeOf(items)).toEqual({ read: "a.txtOne".length, held: "a.txtOne".length });
  expect(namedItems(stored)?.get("msg_0")).toEqual(input[0]);
});
