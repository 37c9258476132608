import { expect, test } from "vitest";
import { LineBuffer } from "./line-buffer.ts";

function harness(maxLines = 3) {
  const written: string[] = [];
  const wakes: (() => void)[] = [];
  const works: Promise<unknown>[] = [];
  const buffer = new LineBuffer({
    write: (text) => written.push(text),
    maxLines,
    maxDelayMs: 50,
    sleep: () => new Promise((resolve) => wakes.push(resolve)),
  });
  const background = { run: (_name: string, work: Promise<unknown>) => void works.push(work) };
  return { buffer, written, wakes, works, background };
}

test("lines leave together after the delay", async () => {
  const { buffer, written, wakes, works, background } = harness();
  buffer.add("a", background, 0);
  buffer.add("b", background, 10);
  expect(written).toEqual([]);
  expect(works).toHaveLength(1);
  wakes[0]?.();
  await works[0];
  expect(written).toEqual(["a\nb"]);
});

test("a full buffer leaves at once", () => {
  const { buffer, written, background } = harness(2);
  buffer.add("a", background, 0);
  buffer.add("b", background, 0);
  expect(written).toEqual(["a\nb"]);
});

test("a flush that died with its request is promised again by a later one", async () => {
  const { buffer, written, wakes, works, background } = harness(10);
  buffer.add("a", background, 0);
  buffer.add("b", background, 101);
  expect(works).toHaveLength(2);
  wakes[1]?.();
  await works[1];
  expect(written).toEqual(["a\nb"]);
});
