import * as fc from "fast-check";
import { expect, test } from "vitest";
import { requestLimits } from "../wire/request-limits.ts";
import { conversationName } from "../wire/schema-parts.ts";
import { scanPath } from "./injection/scan.ts";
import { targetFault, targetOf } from "./request-target.ts";

function fault(target: string): string | null {
  const found = targetFault(targetOf(`https://api.example.com${target}`));
  return found === null ? null : found.kind;
}

test.each([
  "/",
  "/v1/chat/completions",
  "/v1/models/llama-3.1-8b",
  "/v1/models/meta-llama%2FLlama-3.1-8B",
  "/v1/conversations/%E4%BD%A0%E5%A5%BD/items?limit=20&after=msg_1",
  "/v1/conversations/my%20chat",
  "/v1/conversations/a%25",
  "/v1/conversations/support%2F42/items",
  "/v1/conversations/CORP%5Cann",
  "/v1/conversations/50%252B/items/msg_1",
  "/.well-known/security.txt",
  "/v1/x?redirect=https%3A%2F%2Fa.example%2F..%2F&q=100%",
  "/v1/x?text=%250a%0d%0a",
])("%s means one thing", (target) => {
  expect(fault(target)).toBeNull();
});

test.each([
  ["a NUL in the path", "/v1/a%00b"],
  ["a NUL in the query", "/v1/a?x=%00"],
  ["a raw NUL", "/v1/a\0b"],
  ["a line break", "/v1/a%0d%0ab"],
  ["a delete character", "/v1/a%7f"],
  ["an encoded slash", "/v1%2fchat/completions"],
  ["an encoded slash behind a prefix", "/v1/responses/a%2Fb"],
  ["a dot segment behind an encoded slash of a conversation", "/v1/conversations/..%2fmodels"],
  ["a dot segment behind an encoded backslash of one", "/v1/conversations/a%5C..%5Cmodels"],
  ["a dot segment at the end of one", "/v1/conversations/a%2F.."],
  ["a backslash that is not encoded", "/v1/conversations/a\\b"],
  ["an encoded slash behind a conversation's name", "/v1/conversations/a/items%2Fmsg_1"],
  ["double encoding behind it", "/v1/conversations/a/%2569tems"],
  ["half an escape in it", "/v1/conversations/a%2"],
  ["a NUL in it", "/v1/conversations/a%00"],
  ["a backslash", "/v1\\chat"],
  ["an encoded backslash", "/v1/models/..%5c"],
  ["a dot segment", "/v1/../admin/keys"],
  ["an encoded dot segment", "/v1/%2e%2e/admin"],
  ["half an encoded dot segment", "/v1/.%2e/admin"],
  ["an encoded dot segment at the end", "/v1/%2e%2e"],
  ["a dot segment behind an encoded slash of a model", "/v1/models/..%2f..%2fadmin"],
  ["a single dot", "/v1/./chat"],
  ["double encoding", "/v1/%2576"],
  ["a doubly encoded slash", "/v1/models/a%252fb"],
  ["an overlong slash", "/v1/%c0%af"],
  ["a half escape", "/v1/a%2"],
  ["no escape at all", "/v1/%zz"],
])("%s is refused", (_, target) => {
  expect(fault(target)).toBe("url-invalid");
});

test("a URL over its limit is refused before its characters are looked at", () => {
  const longest = `/${"a".repeat(requestLimits.urlCharacters - 1)}`;
  expect(fault(longest)).toBeNull();
  expect(fault(`${longest}a`)).toBe("url-too-long");
  expect(fault(`/?${"%00".repeat(requestLimits.urlCharacters)}`)).toBe("url-too-long");
});

test("a path that passes reads the same decoded once and resolved as any URL parser has it", () => {
  const piece = fc.constantFrom(
    "v1",
    ".",
    "..",
    "%2e",
    "%2F",
    "/",
    "//",
    "a",
    "\\",
    "%5c",
    "%00",
    "%25",
    "41",
    "é",
    "models",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/${pieces.join("")}`;
      if (fault(path) !== null) return;
      const resolved = new URL(`https://api.example.com${path}`).pathname;
      // A plain climb at the very end is the one thing that parsers change.
      if (/\/\.{1,2}$/.test(path)) return;
      expect(decodeURIComponent(resolved)).toBe(decodeURIComponent(path));
    }),
  );
});

test("whatever a body may call a conversation, its URL passes", () => {
  const piece = fc.constantFrom(
    ".",
    "..",
    "/",
    "\\",
    "%",
    "%2F",
    "%41",
    "a",
    "'",
    " or 1=1",
    "(",
    "<script>",
    "|id",
    "é",
    "💬",
  );
  const names = fc.oneof(
    fc.string({ minLength: 1, unit: "grapheme" }),
    fc.array(piece).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(names, (name) => {
      if (!conversationName.safeParse(name).success) return;
      const target = targetOf(`https://api.example.com/v1/conversations/${encodeURIComponent(name)}/items`);
      expect([targetFault(target), scanPath(target.path)]).toEqual([null, null]);
    }),
  );
});

test.each([".", "..", "a/../b", "../a", "a\\.", "./a"])("no conversation may be called %j", (name) => {
  expect(conversationName.safeParse(name).success).toBe(false);
});
