import { expect, test } from "vitest";
import type { ChatFile, FileState } from "./chat-file.ts";
import { toldOfFiles } from "./tell-files.ts";

const file = (name: string, state: FileState, sent = false): ChatFile => ({ key: name, name, state, sent });
const waiting = { kind: "waiting" } as const;
const ready = { kind: "ready" } as const;

test("each step is told once, without percents", () => {
  const steps: readonly FileState[] = [
    waiting,
    { kind: "uploading", percent: 0 },
    { kind: "uploading", percent: 50 },
    { kind: "reading" },
    ready,
  ];
  let before: readonly ChatFile[] = [];
  const told = steps.map((state) => {
    const now = [file("a.md", state)];
    const text = toldOfFiles(before, now);
    before = now;
    return text;
  });
  expect(told).toEqual(["a.md is attached.", "a.md is uploading.", "", "", "a.md is ready."]);
});

test("what went wrong is told with what to do, and a removal is; files of a chat that is opened are not", () => {
  const failed = { kind: "failed", why: "Too large. Attach a smaller one.", retry: false } as const;
  expect(toldOfFiles([file("a.md", waiting)], [file("a.md", failed)])).toBe(
    "a.md: Too large. Attach a smaller one.",
  );
  expect(toldOfFiles([file("a.md", ready)], [])).toBe("a.md is removed.");
  expect(toldOfFiles([], [file("a.md", ready, true)])).toBe("");
});
