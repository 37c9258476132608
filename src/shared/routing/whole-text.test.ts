import { expect, test } from "vitest";
import { wholeText } from "./whole-text.ts";

const utf8 = new TextEncoder();
const bodyOf = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
const text = '{"content":"é \u{1F9EA}"}';
const bytes = utf8.encode(text);

test("a body that came with the headers is the whole text", async () => {
  expect(await wholeText({ text, firstChunk: null, body: null })).toBe(text);
});

test("an answer without a body is an empty text", async () => {
  expect(await wholeText({ text: null, firstChunk: null, body: null })).toBe("");
});

test("an answer's text is the same wherever its bytes are cut, also inside a character", async () => {
  for (let at = 0; at <= bytes.length; at += 1) {
    const [head, tail] = [bytes.slice(0, at), bytes.slice(at)];
    expect(await wholeText({ text: null, firstChunk: head, body: bodyOf(tail) })).toBe(text);
    expect(await wholeText({ text: null, firstChunk: null, body: bodyOf(head, tail) })).toBe(text);
  }
  expect(await wholeText({ text: null, firstChunk: bytes, body: null })).toBe(text);
});

test("an answer that breaks off rejects, and gives no part of its text", async () => {
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.error(new Error("reset")),
  });
  await expect(wholeText({ text: null, firstChunk: bytes, body: broken })).rejects.toThrow("reset");
});
