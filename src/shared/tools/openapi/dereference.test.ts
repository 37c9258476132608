import * as fc from "fast-check";
import { expect, test } from "vitest";
import { dereferenced } from "./dereference.ts";

test("a reference is replaced by what it points to, and what that refers to as well", () => {
  const document = { a: { $ref: "#/parts/a" }, parts: { a: { b: { $ref: "#/parts/b" } }, b: 1 } };
  expect(dereferenced(document)).toEqual({
    ok: true,
    value: { a: { b: 1 }, parts: { a: { b: 1 }, b: 1 } },
  });
});

test("any member's name can be pointed to, escaped as a JSON pointer and as a URL's fragment", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("/", "~", "%", "{", " ", "0", "1", "a", "é", "😀") }),
      (name) => {
        const pointer = name.replaceAll("~", "~0").replaceAll("/", "~1");
        const document = {
          parts: { [name]: "found" },
          a: { $ref: `#/parts/${encodeURIComponent(pointer)}` },
        };
        expect(dereferenced(document)).toMatchObject({ ok: true, value: { a: "found" } });
      },
    ),
  );
});

test.each([
  ["another document", "https://elsewhere.example/a.json#/b"],
  ["nothing", "#/parts/none"],
  ["no URL's fragment", "#/parts/100%"],
  ["a member that every object has", "#/parts/constructor"],
])("a reference to %s is refused", (_, $ref) => {
  expect(dereferenced({ a: { $ref }, parts: { "100%": 1 } })).toMatchObject({ ok: false });
});

test("a circle is refused, and so is a document that doubles with each reference", () => {
  expect(dereferenced({ a: { $ref: "#/b" }, b: { $ref: "#/a" } })).toMatchObject({ ok: false });
  const doubling: Record<string, unknown> = { p0: 1 };
  for (let at = 1; at <= 30; at += 1) {
    const $ref = `#/p${at - 1}`;
    doubling[`p${at}`] = [{ $ref }, { $ref }];
  }
  expect(dereferenced(doubling)).toMatchObject({ ok: false });
});
