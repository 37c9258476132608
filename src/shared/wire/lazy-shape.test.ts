import * as z from "zod";
import { expect, test } from "vitest";
import { joinShapes, lazyShape, makersOf } from "./lazy-shape.ts";

function counted() {
  const made: string[] = [];
  const maker = (name: string) => () => {
    made.push(name);
    return z.string().max(name.length);
  };
  return { made, maker };
}

test("a field's schema is made when it is first read, and once", () => {
  const { made, maker } = counted();
  const shape = lazyShape({ one: maker("one"), other: maker("other") });
  expect(Object.keys(shape)).toEqual(["one", "other"]);
  expect(made).toEqual([]);
  expect(shape.one).toBe(shape.one);
  expect(made).toEqual(["one"]);
});

test("a lazy schema is unwrapped, and is the same object each time", () => {
  const promised = z.lazy(() => z.string().max(3));
  const shape = lazyShape({ one: () => promised, other: () => promised });
  expect(shape.one.maxLength).toBe(3);
  expect(shape.other).toBe(shape.one);
});

test("joining shapes makes none, keeps their order and takes the later of two of one name", () => {
  const { made, maker } = counted();
  const first = lazyShape({ one: maker("first one"), both: maker("first both") });
  const joined = joinShapes(first, lazyShape({ both: maker("second both"), other: maker("other") }));
  expect(Object.keys(joined)).toEqual(["one", "both", "other"]);
  expect(made).toEqual([]);
  expect(joined.one).toBe(first.one);
  expect(joined.both).not.toBe(first.both);
});

test("makers are found by name, inherited names find none, and a schema that exists is reused", () => {
  const { made, maker } = counted();
  const ready = z.boolean();
  const makers = makersOf(joinShapes(lazyShape({ one: maker("one") }), { ready }));
  expect(made).toEqual([]);
  expect(makers.get("ready")?.()).toBe(ready);
  expect(makers.get("one")?.()).toBe(makers.get("one")?.());
  expect(makers.get("constructor")).toBeUndefined();
});
