import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { describeIssues, forWriters, notJson } from "./document-fault.ts";
import { parseTenantConfig } from "./tenant-entries.ts";

function fault(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return notJson(error);
  }
  throw new Error("it is JSON");
}

test.each([
  ['{"id":"a",}', "is not JSON: expected double-quoted property name, line 1, column 11"],
  ['{"id":"a"\n"b":1}', "is not JSON: expected ',' or '}' after property value, line 2, column 1"],
  ['{"a":[1,2}', "is not JSON: expected ',' or ']' after array element, line 1, column 10"],
  ['{"a":"x', "is not JSON: unterminated string, line 1, column 8"],
  ['{"a":1}}', "is not JSON: unexpected non-whitespace character, line 1, column 8"],
  ['{"a":tru}', "is not JSON: unexpected token '}'"],
  ["", "is not JSON: unexpected end of JSON input"],
])("%j is said to be wrong where it is", (text, told) => {
  expect(fault(text)).toBe(told);
});

test("what stands in a document is not in what is said of it, wherever it breaks off", () => {
  fc.assert(
    fc.property(fc.nat({ max: 60 }), fc.constantFrom("", ",", "}", "tru", "'", "//", "\\"), (at, typo) => {
      const whole = JSON.stringify({ a: "s3cr3t, s3cr3t", b: ['s3cr3t "in JSON at', { s3cr3t: "s3cr3t" }] });
      const text = whole.slice(0, at) + typo;
      let json = true;
      try {
        JSON.parse(text);
      } catch {
        json = false;
      }
      fc.pre(!json);
      expect(fault(text)).toMatch(/^is not JSON/);
      expect(fault(text)).not.toContain("s3cr3t");
    }),
  );
});

test("who writes a member that there is not is told which there are; one that is missing is required", () => {
  const schema = z.strictObject({
    limits: z.strictObject({ requests: z.int(), tokens: z.int() }),
    id: z.string(),
  });
  const parsed = schema.safeParse({ limits: { request: 1, tokens: 2 }, ID: "a" }, forWriters);
  if (parsed.success) throw new Error("it is wrong");
  expect(describeIssues(parsed.error).split("\n")).toEqual([
    "limits.requests: is required",
    'limits: has no "request"; there are requests, tokens',
    "id: is required",
    '(whole): has no "ID"; there are limits, id',
  ]);
});

test("a tenant's file names what it may have in the place of what it has", () => {
  const told = (document: object) => parseTenantConfig(JSON.stringify(document));
  expect(told({ id: "platform", issuers: [], hosts: ["https://chat.example"], limit: {} })).toEqual({
    ok: false,
    error: expect.stringMatching(
      /^id: is the platform's own\nhosts\[0\]: is no hostname in lower case, such as chat\.example\.com\nissuers: .*\n\(whole\): has no "limit"; there are id, name, .*limits/,
    ) as string,
  });
});
