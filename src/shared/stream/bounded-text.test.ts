import * as fc from "fast-check";
import { expect, test } from "vitest";
import { boundedText } from "./bounded-text.ts";

/** A body that comes in pieces of so many bytes, and whether what is left of it was let go. */
function bodyOf(bytes: Uint8Array, pieceBytes: number) {
  let at = 0;
  let letGo = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + pieceBytes));
        at += pieceBytes;
      },
      cancel: () => {
        letGo = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, isLetGo: () => letGo };
}

test("a body up to the bound is its text, however it was cut; of a longer one there is none, and its rest is let go", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
        .filter((text) => !text.startsWith("\ufeff")),
      fc.integer({ min: 1, max: 9 }),
      async (text, pieceBytes) => {
        const bytes = new TextEncoder().encode(text);
        expect(await boundedText(bodyOf(bytes, pieceBytes).body, bytes.length)).toBe(text);
        const longer = bodyOf(bytes, pieceBytes);
        expect(await boundedText(longer.body, bytes.length - 1)).toBeNull();
        expect(longer.isLetGo()).toBe(true);
      },
    ),
  );
});

test("bytes that are no text are told by a strict decoder, and replaced by the usual one", async () => {
  const half = Uint8Array.of(0xc3);
  expect(await boundedText(bodyOf(half, 1).body, 9)).toBe("\ufffd");
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  await expect(boundedText(bodyOf(half, 1).body, 9, strict)).rejects.toThrow(TypeError);
});
