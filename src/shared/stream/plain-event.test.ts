import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PlainEventBytes, textOf } from "./plain-event.ts";

const utf8 = new TextEncoder();
const head = 'data: {"id":"chatcmpl-1","created":1760000000,"choices":[{"index":0,"delta":{"content":"';
const usage = (prompt: number, completion: number): string =>
  `"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion},"prompt_tokens_details":{"cached_tokens":0}}`;
const tail = (prompt: number, completion: number): string =>
  `"},"finish_reason":null}],${usage(prompt, completion)}}\n\n`;
const learned = new PlainEventBytes(head, tail(16, 1));

test("other text and other counts are the same kind of event", () => {
  const bytes = utf8.encode(`${head} token${tail(7, 1234)}`);
  const event = learned.match(bytes, 0);
  expect(event).toEqual({
    from: head.length,
    to: head.length + 6,
    end: bytes.length,
    completionTokens: 1234,
  });
  if (event === null) return;
  expect(textOf(bytes, event)).toBe(" token");
});

test("events that come together are seen one after the other, and half of one is none", () => {
  const first = `${head}one${tail(1, 1)}`;
  const second = `${head}two${tail(1, 2)}`;
  const bytes = utf8.encode(`${first}${second}data`);
  const one = learned.match(bytes, 0);
  const two = learned.match(bytes, first.length);
  expect([one?.end, two?.end]).toEqual([first.length, first.length + second.length]);
  expect([one, two].map((event) => event && textOf(bytes, event))).toEqual(["one", "two"]);
  expect(learned.match(bytes, first.length + second.length)).toBeNull();
});

test("an event without usage says no count", () => {
  const plain = new PlainEventBytes(head, '"}}]}\n\n');
  expect(plain.match(utf8.encode(`${head}x"}}]}\n\n`), 0)?.completionTokens).toBe(-1);
});

test.each([
  ["half an event", `${head}a`],
  ["a text with an escape", `${head}a\\n${tail(1, 1)}`],
  ["a text that is not ASCII", `${head}é${tail(1, 1)}`],
  ["a text that never ends", head + "a".repeat(5000) + tail(1, 1)],
  ["another id", `${head.replace("chatcmpl-1", "chatcmpl-2")}a${tail(1, 1)}`],
  ["another time", `${head.replace("1760000000", "1760000001")}a${tail(1, 1)}`],
  ["a finish reason", `${head}a${tail(1, 1).replace("null", '"stop"')}`],
  ["a count that is no whole number", `${head}a${tail(1, 1).replace('tokens":1,', 'tokens":1.5,')}`],
  ["a negative count", `${head}a${tail(1, -1)}`],
  [
    "a count of too many digits",
    `${head}a${tail(1, 1).replace('"completion_tokens":1', `"completion_tokens":${"9".repeat(10)}`)}`,
  ],
  ["no count", `${head}a${tail(1, 1).replace('"completion_tokens":1', '"completion_tokens":')}`],
  ["nothing", ""],
])("%s is left to the parser", (_, text) => {
  expect(learned.match(utf8.encode(text), 0)).toBeNull();
});

test("one changed byte outside of the text and the counts never matches", () => {
  const good = utf8.encode(`${head}word${tail(16, 5)}`);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bytes = good.slice();
      const before = bytes[at] ?? 0;
      if (before === byte) return;
      bytes[at] = byte;
      const event = learned.match(bytes, 0);
      if (event === null) return;
      const inText = at >= head.length && at < head.length + 4;
      const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
      expect(inText || (isDigit(before) && isDigit(byte))).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
