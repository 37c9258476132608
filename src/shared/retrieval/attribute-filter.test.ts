import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import {
  type AttributeFilter,
  attributeFilterSchema,
  filterBounds,
  meetsFilter,
} from "./attribute-filter.ts";

const attributes = { region: "eu", year: 2024, draft: false };

test.each([
  ["eq", "region", "eu", true],
  ["eq", "region", "us", false],
  ["eq", "year", "2024", false],
  ["ne", "region", "us", true],
  ["ne", "region", "eu", false],
  ["ne", "missing", "eu", true],
  ["eq", "missing", "eu", false],
  ["eq", "draft", false, true],
  ["gt", "year", 2023, true],
  ["gt", "year", 2024, false],
  ["gte", "year", 2024, true],
  ["lt", "year", 2025, true],
  ["lte", "year", 2023, false],
  ["lt", "region", "fr", true],
  ["gt", "region", 1, false],
  ["lt", "missing", 1, false],
  ["in", "region", ["us", "eu"], true],
  ["in", "region", ["us"], false],
  ["in", "missing", ["us"], false],
  ["nin", "region", ["us"], true],
  ["nin", "year", [2024, 2025], false],
  ["nin", "missing", ["us"], true],
  // Not what every object inherits.
  ["eq", "constructor", "x", false],
  ["ne", "toString", "x", true],
] as const)("%s %s %j holds: %j", (type, key, value, holds) => {
  const filter = { type, key, value } as AttributeFilter;
  expect(attributeFilterSchema.safeParse(filter).success).toBe(true);
  expect(meetsFilter(attributes, filter)).toBe(holds);
});

test("compounds hold as their logic says, however they nest", () => {
  const yes: AttributeFilter = { type: "eq", key: "region", value: "eu" };
  const no: AttributeFilter = { type: "eq", key: "region", value: "us" };
  const both = (type: "and" | "or", ...filters: AttributeFilter[]): AttributeFilter => ({ type, filters });
  expect(meetsFilter(attributes, both("and", yes, yes))).toBe(true);
  expect(meetsFilter(attributes, both("and", yes, no))).toBe(false);
  expect(meetsFilter(attributes, both("or", no, yes))).toBe(true);
  expect(meetsFilter(attributes, both("or", no, both("and", yes, both("or", no, no))))).toBe(false);
});

function firstIssue(filter: unknown) {
  const parsed = z.object({ filters: attributeFilterSchema.nullish() }).safeParse({ filters: filter });
  return parsed.success ? null : parsed.error.issues[0]?.path.join(".");
}

const fine = { type: "eq", key: "a", value: 1 };

test.each([
  ["text", "x", "filters"],
  ["a list", [fine], "filters"],
  ["no type", { key: "a", value: 1 }, "filters.type"],
  ["a type that is none", { ...fine, type: "like" }, "filters.type"],
  ["a type of Object's own", { ...fine, type: "constructor" }, "filters.type"],
  ["no key", { type: "eq", value: 1 }, "filters.key"],
  ["an empty key", { ...fine, key: "" }, "filters.key"],
  ["a long key", { ...fine, key: "k".repeat(65) }, "filters.key"],
  ["no value", { type: "eq", key: "a" }, "filters.value"],
  ["a value that is an object", { ...fine, value: {} }, "filters.value"],
  ["a list where one is asked for", { ...fine, value: ["a"] }, "filters.value"],
  ["one where a list is asked for", { ...fine, type: "in" }, "filters.value"],
  ["an empty list", { ...fine, type: "nin", value: [] }, "filters.value"],
  ["a boolean in a list", { ...fine, type: "in", value: ["a", true] }, "filters.value.1"],
  ["a long list", { ...fine, type: "in", value: Array.from({ length: 101 }, () => 1) }, "filters.value"],
  ["a long value", { ...fine, value: "v".repeat(513) }, "filters.value"],
  ["another field", { ...fine, boost: 2 }, "filters.boost"],
  ["no filters", { type: "and" }, "filters.filters"],
  ["none of them", { type: "or", filters: [] }, "filters.filters"],
  ["a fault within", { type: "or", filters: [fine, { ...fine, key: 1 }] }, "filters.filters.1.key"],
])("%s is refused, by its place", (_, filter, place) => {
  expect(firstIssue(filter)).toBe(place);
});

test("a filter may be absent", () => {
  expect(firstIssue(null)).toBeNull();
  expect(firstIssue(undefined)).toBeNull();
});

test("depth and width are bounded, and a hostile one costs nothing", () => {
  const nested = (depth: number): unknown => {
    let filter: unknown = fine;
    for (let at = 1; at < depth; at += 1) filter = { type: "and", filters: [filter] };
    return filter;
  };
  expect(firstIssue(nested(filterBounds.depth))).toBeNull();
  expect(firstIssue(nested(filterBounds.depth + 1))).toBe("filters");
  expect(firstIssue(nested(100_000))).toBe("filters");
  const wide = (count: number) => ({ type: "or", filters: Array.from({ length: count }, () => fine) });
  expect(firstIssue(wide(filterBounds.nodes - 1))).toBeNull();
  expect(firstIssue(wide(filterBounds.nodes))).toBe("filters");
  expect(firstIssue({ type: "or", filters: Array.from({ length: 99 }, () => wide(99)) })).toBe("filters");
});

test("whatever the schema takes, the matcher answers", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())),
      (value, has) => {
        const parsed = attributeFilterSchema.safeParse(value);
        if (parsed.success) expect(typeof meetsFilter(has, parsed.data)).toBe("boolean");
      },
    ),
  );
});
