import * as fc from "fast-check";
import { expect, test } from "vitest";
import { partedWriter } from "./parted-writer.ts";

test("pieces of any size become parts of one size, the last one known as the last", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 9 }),
      async (pieces, partBytes) => {
        const parts: { part: number; bytes: number[]; isLast: boolean }[] = [];
        const writer = partedWriter({
          partBytes,
          put: async (part, bytes, isLast) => {
            parts.push({ part, bytes: [...bytes], isLast });
          },
          abort: async () => {},
        });
        const all = pieces.flatMap((piece) => [...piece]);
        for (const piece of pieces) {
          await writer.write(piece);
          piece.fill(0);
        }
        await writer.finish();
        expect(parts.flatMap(({ bytes }) => bytes)).toEqual(all);
        expect(parts.map(({ part }) => part)).toEqual(parts.map((_, at) => at));
        expect(parts.map(({ isLast }) => isLast)).toEqual(parts.map((_, at) => at === parts.length - 1));
        for (const { bytes } of parts.slice(0, -1)) expect(bytes).toHaveLength(partBytes);
      },
    ),
  );
});

test("however long a file is, its parts are read into the same memory", async () => {
  const partBytes = 200_000;
  const memories = new Set<ArrayBuffer>();
  let made = 0;
  const writer = partedWriter({
    partBytes,
    put: async (_part, bytes) => {
      made += bytes.byteLength;
      memories.add(bytes.buffer);
    },
    abort: async () => {},
  });
  for (let at = 0; at < 100; at += 1) await writer.write(new Uint8Array(30_000));
  await writer.finish();
  expect(made).toBe(3_000_000);
  expect([...memories].map(({ byteLength }) => byteLength)).toEqual([partBytes]);
});
