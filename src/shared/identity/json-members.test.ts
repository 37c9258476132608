import * as fc from "fast-check";
import { expect, test } from "vitest";
import { repeatsMember } from "./json-members.ts";

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"b":{"c":1,"c":2}}',
  '[{"a":1},{"a":1,"a":1}]',
  '{"a" : 1, "\\u0061"\n: 2}',
  '{"":1,"":1}',
  '{"a\\"b":1,"a\\"b":1}',
])("a repeated member is seen in %s", (json) => {
  JSON.parse(json);
  expect(repeatsMember(json)).toBe(true);
});

test.each([
  '{"a":"a","b":"a:"}',
  '[{"a":1},{"a":1}]',
  '{"a":{"a":{"a":1}}}',
  '{"a":["a","a"],"b":"\\"a\\":"}',
  '"a"',
  "1",
])("none is seen in %s", (json) => {
  JSON.parse(json);
  expect(repeatsMember(json)).toBe(false);
});

test("no value that was serialised repeats one, and doubling any member is seen", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (object) => {
      const json = JSON.stringify(object);
      fc.pre(json !== "{}");
      expect(repeatsMember(json)).toBe(false);
      const [name = ""] = Object.keys(object);
      expect(repeatsMember(`{${JSON.stringify(name)}:null,${json.slice(1)}`)).toBe(true);
    }),
  );
});
