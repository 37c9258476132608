import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fieldBounds,
  parseDictionary,
  serializeList,
  type BareItem,
  type Item,
} from "./structured-fields.ts";

describe("refused: what two readers might take for two things", () => {
  test.each([
    ["one name twice", "a=:AA==:, a=:AQ==:"],
    ["one parameter twice", 'a=("x");created=1;created=2'],
    ["base64 without its padding", "a=:AA:"],
    ["base64 with stray bits", "a=:AB==:"],
    ["base64url", "a=:-_8=:"],
    ["a comma at the end", "a=1,"],
    ["an integer of 16 digits", "a=1234567890123456"],
    ["a decimal", "a=1.5"],
    ["a name in capitals", "A=1"],
    ["an unfinished string", 'a="x'],
    ["an escape of nothing", 'a="\\x"'],
    ["a control character in a string", 'a="\u0007"'],
    ["no blank between items", 'a=("x""y")'],
    ["a list in a list", 'a=(("x"))'],
    ["a tab in a list", 'a=("x"\t"y")'],
    ["too many members", Array.from({ length: fieldBounds.members + 1 }, (_, at) => `k${at}=1`).join(", ")],
    ["too many items", `a=(${'"x" '.repeat(fieldBounds.items + 1)})`],
    ["too long a field", `a="${"x".repeat(fieldBounds.characters)}"`],
  ])("%s", (_, text) => {
    expect(parseDictionary(text)).toBeNull();
  });
});

test("what is written is read back the same", () => {
  const bareItem = fc.oneof(
    fc
      .string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) })
      .map<BareItem>((value) => ({ type: "string", value })),
    fc
      .integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 })
      .map<BareItem>((value) => ({ type: "integer", value: value + 0 })),
    fc.boolean().map<BareItem>((value) => ({ type: "boolean", value })),
    fc
      .uint8Array({ maxLength: 70 })
      .map<BareItem>((value) => ({ type: "bytes", value: new Uint8Array(value) })),
    fc
      .stringMatching(/^[a-zA-Z*][a-zA-Z0-9:/!#.-]{0,9}$/)
      .map<BareItem>((value) => ({ type: "token", value })),
  );
  const parameters = fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,7}$/), bareItem), {
      selector: ([name]) => name,
      maxLength: 5,
    })
    .map((pairs) => new Map(pairs));
  const item = fc.record({ value: bareItem, parameters });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), parameters, (items: Item[], own) => {
      const parsed = parseDictionary(`sig=${serializeList(items, own)}`);
      expect(parsed?.get("sig")).toEqual({ kind: "list", items, parameters: own });
    }),
  );
});
