import { globSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../local-secrets.ts";
import { filesOfPart, knownSeconds, secondsOf } from "./test-parts.ts";

const files = globSync(
  ["durable-objects/**/*.test.ts", "workers/**/*.test.ts", "test/workers/**/*.test.ts"],
  {
    cwd: root,
  },
);

test("every file is in exactly one part, whatever order they come in", () => {
  for (const parts of [1, 2, 7, 200]) {
    const all = Array.from({ length: parts }, (_, at) => filesOfPart(files, at + 1, parts));
    expect(all.flat().toSorted()).toEqual(files.toSorted());
    const reversed = files.toReversed();
    expect(Array.from({ length: parts }, (_, at) => filesOfPart(reversed, at + 1, parts))).toEqual(all);
  }
});

test("no part takes a tenth longer than its share", () => {
  const parts = 7;
  const seconds = (part: readonly string[]) => part.reduce((sum, file) => sum + secondsOf(file), 0);
  const fair = seconds(files) / parts;
  for (let part = 1; part <= parts; part += 1)
    expect(seconds(filesOfPart(files, part, parts))).toBeLessThan(fair * 1.1);
});

test("what is known is known of files that there are", () => {
  expect(Object.keys(knownSeconds).filter((file) => !files.includes(file))).toEqual([]);
});
