import { expect, test } from "vitest";
import { threadOf, type ThreadBranch, type ThreadItem } from "./thread.ts";

const items: readonly ThreadItem[] = [
  { id: "i1", role: "user", text: "hello" },
  { id: "i2", role: null, text: "" },
  { id: "i3", role: "assistant", text: "hi" },
  { id: "i4", role: "user", text: "more" },
  { id: "i5", role: "assistant", text: "yes" },
];

function branch(
  id: string,
  parent: string | null,
  behind: string | null,
  last: string,
  active = false,
): ThreadBranch {
  return { id, parent, behind, last, active };
}

const alone = [branch("br_0", null, null, "i5", true)];

test("without branches every message stands alone, each behind the item before it", () => {
  expect(threadOf(items, alone, false)).toMatchObject([
    { id: "i1", behind: "root" },
    { id: "i3", role: "assistant" },
    { id: "i4", behind: "i3" },
    { id: "i5" },
  ]);
  expect(threadOf(items, alone, false).every(({ versions }) => versions === undefined)).toBe(true);
});

test("where more lies before, the first message has no place to be asked again from", () => {
  expect(threadOf(items, alone, true)[0]).not.toHaveProperty("behind");
});

test.for([
  ["br_0", 0],
  ["br_1", 1],
  ["br_2", 2],
] as const)("a message that was edited twice shows which version it is: %s", ([active, at]) => {
  const branches = [
    branch("br_0", null, null, "x0"),
    branch("br_1", "br_0", "i3", "x1"),
    branch("br_2", "br_0", "i3", "x2"),
  ].map((each) => ({ ...each, active: each.id === active }));
  expect(threadOf(items, branches, false)[2]?.versions).toEqual({ branches: ["br_0", "br_1", "br_2"], at });
});

test("the first message edited, and a branch off a branch", () => {
  const branches = [
    branch("br_0", null, null, "x0"),
    branch("br_1", "br_0", null, "x1"),
    branch("br_2", "br_1", "i3", "i5", true),
  ];
  const thread = threadOf(items, branches, false);
  expect(thread[0]?.versions).toEqual({ branches: ["br_0", "br_1"], at: 1 });
  expect(thread[2]?.versions).toEqual({ branches: ["br_1", "br_2"], at: 1 });
});

test("a parent that ended there is no version", () => {
  const branches = [branch("br_0", null, null, "i3"), branch("br_1", "br_0", "i3", "i5", true)];
  expect(threadOf(items, branches, false)[2]?.versions).toBeUndefined();
});

test("a message that came with files says which, also where it says nothing else, and can't be asked anew from here", () => {
  const files = ["report.pdf"];
  const asked: ThreadItem = { id: "i1", role: "user", text: "", files };
  const [message] = threadOf([asked, ...items.slice(1)], alone, false);
  expect(message).toMatchObject({ id: "i1", files });
  expect(message).not.toHaveProperty("behind");
});
