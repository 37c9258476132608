import { expect, test } from "vitest";
import { keyOf, type ChatMessage } from "./chat-state.ts";
import { keepPlaces } from "./keep-places.ts";

const message = (id: string, role: "user" | "assistant", text: string, behind?: string): ChatMessage => ({
  id,
  role,
  text,
  reasoning: "",
  status: "done",
  ...(behind === undefined ? {} : { behind }),
});
const keys = (messages: readonly ChatMessage[]): string[] => messages.map(keyOf);

test("a turn that is saved stays where it is on the page, under the ids that the server gave it", () => {
  const local = [message("u", "user", "hi"), message("a", "assistant", "hello")];
  const saved = keepPlaces([message("m1", "user", "hi", "root"), message("m2", "assistant", "hello")], local);
  expect(keys(saved)).toEqual(["u", "a"]);
  const longer = keepPlaces(
    [
      message("m1", "user", "hi", "root"),
      message("m2", "assistant", "hello"),
      message("m3", "user", "hi", "m2"),
      message("m4", "assistant", "hello"),
    ],
    saved,
  );
  expect(keys(longer)).toEqual(["u", "a", "m3", "m4"]);
});

test("another version of a message stands in its place; the answer to it is another answer", () => {
  const first = [message("m1", "user", "hi", "root"), message("m2", "assistant", "hello")];
  const second = keepPlaces(
    [message("m3", "user", "ho", "root"), message("m4", "assistant", "other")],
    first,
  );
  expect(keys(second)).toEqual(["m1", "m4"]);
  expect(keys(keepPlaces(first, second))).toEqual(["m1", "m2"]);
});

test("earlier messages come before those that are there", () => {
  const there = [message("m3", "user", "hi"), message("m4", "assistant", "hello")];
  const all = [
    message("m1", "user", "hi", "root"),
    message("m2", "assistant", "hello"),
    message("m3", "user", "hi", "m2"),
    message("m4", "assistant", "hello"),
  ];
  expect(keys(keepPlaces(all, there))).toEqual(["m1", "m2", "m3", "m4"]);
});
