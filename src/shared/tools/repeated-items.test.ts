import { expect, test } from "vitest";
import { hasTooManyToCompare } from "./repeated-items.ts";

const unique = { type: "object", properties: { tags: { type: "array", uniqueItems: true } } };
const plain = { type: "object", properties: { tags: { type: "array" } } };
const names = (count: number) => Array.from({ length: count }, (_, at) => `name-${at}`);

test("lists that people write are compared, and longer ones where nobody asks for it", () => {
  expect(hasTooManyToCompare(unique, { tags: names(500) })).toBe(false);
  expect(hasTooManyToCompare(plain, { tags: names(3000) })).toBe(false);
});

test.each([
  ["one long list", { tags: names(3000) }],
  ["small ones that are nested", { tags: Array.from({ length: 900 }, () => [[], {}, [1, 2]]) }],
])("%s would hold up an isolate", (_, value) => {
  expect(hasTooManyToCompare(unique, value)).toBe(true);
});

test("each place in the schema that looks counts", () => {
  const often = { type: "object", allOf: Array.from({ length: 20 }, () => unique) };
  expect(hasTooManyToCompare(unique, { tags: names(300) })).toBe(false);
  expect(hasTooManyToCompare(often, { tags: names(300) })).toBe(true);
});
