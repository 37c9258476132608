import * as fc from "fast-check";
import { expect, test } from "vitest";
import { blockEnd, blocksOf, longestBlock } from "./text-blocks.ts";

const prose = fc
  .array(fc.constantFrom("word ", "sentence. ", "No! ", "line\n", "🦀", "x".repeat(90), " ", "\ud83e"), {
    maxLength: 200,
  })
  .map((parts) => parts.join(""));

test("the blocks together are the text, and none exceeds the maximum", () => {
  fc.assert(
    fc.property(prose, (text) => {
      const blocks = blocksOf(text);
      expect(blocks.join("")).toBe(text);
      for (const block of blocks) expect(block.length).toBeLessThanOrEqual(longestBlock);
    }),
  );
});

test("where a block ends is the same however the text arrives", () => {
  fc.assert(
    fc.property(prose, fc.array(fc.nat(40), { minLength: 1, maxLength: 20 }), (text, sizes) => {
      const blocks: string[] = [];
      let held = "";
      let at = 0;
      for (let step = 0; at < text.length; step += 1) {
        const before = held.length;
        const size = (sizes[step % sizes.length] ?? 0) + 1;
        held += text.slice(at, at + size);
        at += size;
        for (let end = blockEnd(held, false, before); end >= 0; end = blockEnd(held, false)) {
          blocks.push(held.slice(0, end));
          held = held.slice(end);
        }
      }
      if (held !== "" || text === "") blocks.push(held);
      expect(blocks).toEqual(blocksOf(text));
    }),
  );
});

test("without blanks a block never splits a surrogate pair", () => {
  for (const block of blocksOf(`x${"🦀".repeat(400)}`)) expect(block.isWellFormed()).toBe(true);
});
