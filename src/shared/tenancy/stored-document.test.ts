import { expect, test } from "vitest";
import * as z from "zod";
import { readStored } from "./stored-document.ts";

const schema = z.strictObject({
  name: z.string(),
  parts: z
    .array(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("a"), size: z.int().default(1) }),
        z.strictObject({ kind: z.literal("b") }),
      ]),
    )
    .default([]),
  limits: z
    .partialRecord(z.enum(["free", "pro"]), z.strictObject({ requests: z.int() }).partial())
    .default({}),
});

test("what only newer code knows is left out and named, wherever it stands, and nothing else is lost", () => {
  const written = {
    name: "n",
    later: { deep: true },
    parts: [{ kind: "a", size: 2, weight: 3 }, { kind: "b" }, { kind: "b", size: 1 }],
    limits: { pro: { requests: 5, bytes: 7 } },
  };
  const before = structuredClone(written);
  expect(readStored(schema, written)).toEqual({
    ok: true,
    value: {
      value: {
        name: "n",
        parts: [{ kind: "a", size: 2 }, { kind: "b" }, { kind: "b" }],
        limits: { pro: { requests: 5 } },
      },
      unknown: expect.arrayContaining([
        "later",
        "parts[0].weight",
        "parts[2].size",
        "limits.pro.bytes",
      ]) as readonly string[],
    },
  });
  expect(written).toEqual(before);
});

test("what is known is as it was written, and nothing is named", () => {
  expect(readStored(schema, { name: "n" })).toEqual({
    ok: true,
    value: { value: { name: "n", parts: [], limits: {} }, unknown: [] },
  });
});

test.each([
  ["a field of the wrong type", { name: 1 }],
  ["a field that is missing", {}],
  ["a kind that only newer code knows", { name: "n", parts: [{ kind: "c" }] }],
  ["such a field beside one that is unknown", { name: 1, later: 1 }],
  ["no object", null],
])("%s is still an error", (_what, document) => {
  expect(readStored(schema, document)).toMatchObject({ ok: false });
});
