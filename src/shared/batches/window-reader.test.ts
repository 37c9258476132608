import * as fc from "fast-check";
import { expect, test } from "vitest";
import { WindowReader } from "./window-reader.ts";

const file = new Uint8Array(3_500_000).map((_, at) => (at * 31 + (at >> 12)) % 251);

function reading(fails: () => boolean = () => false) {
  const asked: number[] = [];
  const reader = new WindowReader((at, length) => {
    asked.push(at);
    return fails()
      ? Promise.reject(new Error("out of reach"))
      : Promise.resolve(file.subarray(at, Math.min(file.byteLength, at + length)));
  });
  return { asked, reader };
}

test("any part of a file is read as it is, across windows and beyond them", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(file.byteLength - 1), fc.integer({ min: 1, max: 1_500_000 })), {
        minLength: 1,
        maxLength: 8,
      }),
      async (parts) => {
        const { reader } = reading();
        const lengths = parts.map(([at, length]) => Math.min(length, file.byteLength - at));
        const read = await Promise.all(parts.map(([at], part) => reader.read(at, lengths[part] ?? 0)));
        for (const [part, [at]] of parts.entries())
          expect(
            Buffer.compare(read[part] ?? new Uint8Array(), file.subarray(at, at + (lengths[part] ?? 0))),
          ).toBe(0);
      },
    ),
    { numRuns: 40 },
  ));

test("lines that lie together are read together", async () => {
  const { asked, reader } = reading();
  for (let at = 0; at < 1_000_000; at += 1000) await reader.read(at, 1000);
  expect(asked).toEqual([0]);
});

test("what could not be read is read anew", async () => {
  let fails = true;
  const { reader } = reading(() => fails);
  await expect(reader.read(10, 5)).rejects.toThrow("out of reach");
  fails = false;
  expect(await reader.read(10, 5)).toEqual(file.slice(10, 15));
});
