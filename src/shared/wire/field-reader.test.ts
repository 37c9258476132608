import { expect, test } from "vitest";
import * as z from "zod";
import { type FieldTable, readFields } from "./field-reader.ts";
import { shortened, shortenedFields } from "./json-bounds.ts";

/** A million wrong items made a million issues, and kept an isolate busy for seconds: counted here, since time says little. */
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

test("the bound that is passed is still told", () => {
  const table: FieldTable = {
    schemas: new Map([["field", () => z.array(z.number()).max(2048)]]),
    refused: new Map(),
    required: [],
  };
  expect(readFields({ field: Array.from({ length: 100_000 }, () => 1) }, table)).toMatchObject({
    error: { param: "field", message: "'field' must have at most 2048 items." },
  });
});

test("what is no longer than a field may be is the value itself", () => {
  for (const value of ["a", 1, null, [1, 2], { a: [1] }, Array.from({ length: 2049 }, () => 1)])
    expect(shortened(value)).toBe(value);
});

test("a body is shortened field by field, and keeps each as it stands", () => {
  const body = JSON.parse('{"__proto__":1,"a":[1],"b":{"c":"d"}}') as unknown;
  expect(JSON.stringify(shortenedFields(body))).toBe(JSON.stringify(body));
  const long = { metadata: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, ""])) };
  expect(Object.keys((shortenedFields(long) as typeof long).metadata)).toHaveLength(2049);
  expect(shortenedFields([])).toEqual([]);
});
