import { expect, test } from "vitest";
import { chatGroups } from "./chat-groups.ts";

const now = new Date(2026, 2, 30, 0, 30).getTime();
const groupsOf = (...begun: Date[]) =>
  chatGroups(
    begun.map((date, at) => ({ id: String(at), title: null, begunMs: date.getTime() })),
    now,
  ).map(({ heading, entries }) => [heading, ...entries.map(({ id }) => id)]);

test.each([
  ["in a minute, by a clock that is ahead", new Date(2026, 2, 30, 0, 31), "Today"],
  ["at midnight", new Date(2026, 2, 30), "Today"],
  ["an hour ago, which was yesterday", new Date(2026, 2, 29, 23, 30), "Yesterday"],
  ["on the day when clocks were changed", new Date(2026, 2, 28, 12), "Previous 7 days"],
  ["a week ago", new Date(2026, 2, 23, 1), "Previous 7 days"],
  ["eight days ago", new Date(2026, 2, 22, 23), "Previous 30 days"],
  ["a month ago", new Date(2026, 1, 27), "February 2026"],
  ["a year ago", new Date(2025, 2, 30), "March 2025"],
])("%s: under which heading a chat is listed", (_, begun, heading) => {
  expect(groupsOf(begun)).toEqual([[heading, "0"]]);
});

test("chats of one day stand together, in the order of the list", () => {
  expect(groupsOf(new Date(2026, 2, 30), new Date(2026, 2, 29, 9), new Date(2026, 2, 29, 8))).toEqual([
    ["Today", "0"],
    ["Yesterday", "1", "2"],
  ]);
  expect(groupsOf()).toEqual([]);
});
