import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { type FieldTable, readFields } from "./field-reader.ts";
import { shortened, shortenedFields } from "./json-bounds.ts";

/** A million wrong items once made a million issues, which kept an isolate busy for seconds. Counted, not timed. */
test.each([
  ["a list", () => Array.from({ length: 200_000 }, () => 0)],
  ["an object", () => Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`k${at}`, 0]))],
])("of %s of any length, a schema sees no more than one item beyond the longest that passes", (_, make) => {
  let seen = 0;
  const item = z.unknown().refine(() => {
    seen += 1;
    return false;
  });
  const field = z.union([z.array(item), z.record(z.string(), item)]);
  const table: FieldTable = { schemas: new Map([["field", () => field]]), refused: new Map(), required: [] };
  expect(readFields({ field: make() }, table)).toMatchObject({ ok: false, error: { kind: "value-invalid" } });
  expect(seen).toBeGreaterThan(0);
  expect(seen).toBeLessThanOrEqual(2049);
});

test("a list far over its bound is refused by the bound's number", () => {
  const table: FieldTable = {
    schemas: new Map([["field", () => z.array(z.number()).max(2048)]]),
    refused: new Map(),
    required: [],
  };
  expect(readFields({ field: Array.from({ length: 100_000 }, () => 1) }, table)).toMatchObject({
    error: { param: "field", message: "'field' must have at most 2048 items." },
  });
});

test("a value within the bound is returned itself", () => {
  for (const value of ["a", 1, null, [1, 2], { a: [1] }, Array.from({ length: 2049 }, () => 1)])
    expect(shortened(value)).toBe(value);
});

test("a body is shortened field by field, and other fields stay unchanged", () => {
  const body = JSON.parse('{"__proto__":1,"a":[1],"b":{"c":"d"}}') as unknown;
  expect(JSON.stringify(shortenedFields(body))).toBe(JSON.stringify(body));
  const long = { metadata: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, ""])) };
  expect(Object.keys((shortenedFields(long) as typeof long).metadata)).toHaveLength(2049);
  expect(shortenedFields([])).toEqual([]);
});

test("a short accepted value skips its schema the next time, and a converted, refused or long one is checked each time", () => {
  let asked = 0;
  const counted = z.union([z.string(), z.number()]).refine((value) => {
    asked += 1;
    return value !== 13;
  });
  const table: FieldTable = {
    schemas: new Map<string, () => z.ZodType>([
      ["kept", () => counted],
      ["changed", () => changed],
    ]),
    refused: new Map(),
    required: [],
  };
  const changed = counted.transform((value) => `${value}!`);
  const timesAsked = (field: string, given: unknown): number => {
    asked = 0;
    for (let time = 0; time < 3; time += 1) readFields({ [field]: given }, table);
    return asked;
  };
  expect([timesAsked("kept", "llama"), timesAsked("kept", 7)]).toEqual([1, 1]);
  expect([timesAsked("kept", 13), timesAsked("kept", "x".repeat(65))]).toEqual([3, 3]);
  expect(timesAsked("changed", "llama")).toBe(3);
  expect(readFields({ changed: "llama" }, table)).toEqual({ ok: true, value: { changed: "llama!" } });
});

test("earlier values never change how a schema reads a value", () => {
  const schema = z.union([z.string().min(2), z.int().min(0).max(9), z.boolean(), z.array(z.int())]);
  const table: FieldTable = { schemas: new Map([["field", () => schema]]), refused: new Map(), required: [] };
  const value = fc.oneof(
    fc.constantFrom("", "a", "ab", -1, -0, 0, 1, 9, 10, "1", "true", true, false),
    fc.array(fc.integer({ max: 3 }), { maxLength: 2 }),
    fc.string(),
    fc.double({ noNaN: true }),
    fc.integer(),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 400 }), (values) => {
      for (const given of values) {
        const parsed = schema.safeParse(given);
        const read = readFields({ field: given }, table);
        expect(read.ok).toBe(parsed.success);
        if (read.ok) expect(read.value["field"]).toStrictEqual(parsed.data);
      }
    }),
  );
});
