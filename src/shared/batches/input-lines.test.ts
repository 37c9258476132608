import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inputLines, type FoundLine } from "./input-lines.ts";

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.byteLength + 1)), bytes.byteLength])];
  places.sort((left, right) => left - right);
  // The memory of a read is used again for the next, as some runtimes do.
  const memory = new Uint8Array(bytes.byteLength);
  for (const [at, from] of places.slice(0, -1).entries()) {
    const piece = bytes.subarray(from, places[at + 1]);
    memory.fill(0);
    memory.set(piece);
    yield memory.subarray(0, piece.byteLength);
  }
}

async function linesOf(bytes: Uint8Array, cuts: readonly number[], maxBytes: number): Promise<FoundLine[]> {
  const lines: FoundLine[] = [];
  for await (const line of inputLines(inPieces(bytes, cuts), maxBytes)) lines.push(line);
  return lines;
}

const lineText = fc.string({
  unit: fc.constantFrom("a", "ü", "語", "{", " ", "\t", "\r", "\ufeff"),
  maxLength: 12,
});

test("lines are the same however their bytes come, each found again at its place; blank ones count and are passed over", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(lineText, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      fc.boolean(),
      async (texts, cuts, endsWithNewline) => {
        const encoder = new TextEncoder();
        const bytes = encoder.encode(texts.join("\n") + (endsWithNewline ? "\n" : ""));
        const lines = await linesOf(bytes, cuts, 1000);
        const wanted = texts.flatMap((text, at) => {
          const unmarked = at === 0 ? text.replace(/^\ufeff/, "") : text;
          return /^[ \t\r]*$/.test(unmarked) ? [] : [[at + 1, unmarked]];
        });
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        expect(lines.map(({ number, bytes: found }) => [number, decoder.decode(found ?? undefined)])).toEqual(
          wanted,
        );
        for (const { at, length, bytes: found } of lines)
          expect(bytes.subarray(at, at + length)).toEqual(found);
      },
    ),
  ));

test("a line that is too long is told, not held, and those behind it are found", async () => {
  const bytes = new TextEncoder().encode(`short\n${"x".repeat(1000)}\nnext`);
  const lines = await linesOf(bytes, [3, 10, 300, 700, 1006], 100);
  expect(lines.map(({ number, at, length, bytes: held }) => [number, at, length, held === null])).toEqual([
    [1, 0, 5, false],
    [2, 6, 1000, true],
    [3, 1007, 4, false],
  ]);
});
