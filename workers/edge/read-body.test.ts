import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readJsonText } from "./read-body.ts";

function request(encoding: string): Request {
  return new Request("https://a.test/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": encoding },
    body: "{}",
  });
}

test.each(["identity", "Identity"])("a body that says %s is not compressed", async (encoding) => {
  expect(await readJsonText(request(encoding), 4096)).toEqual({ ok: true, value: "{}" });
});

const json = (text: string, encoding: "utf8" | "latin1" | "utf16le") =>
  new Uint8Array(Buffer.from(`{"a":"${text}"}`, encoding));
const hostile: readonly (readonly [string, Uint8Array<ArrayBuffer>, string | null])[] = [
  ["UTF-8", json("Grüße 😀", "utf8"), '{"a":"Grüße 😀"}'],
  [
    "U+FFFD behind a byte order mark",
    new Uint8Array([0xef, 0xbb, 0xbf, ...json("\uFFFD", "utf8")]),
    '{"a":"\uFFFD"}',
  ],
  ["Latin-1 behind a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, ...json("ü", "latin1")]), null],
  ["UTF-8 behind a byte order mark", new Uint8Array([0xef, 0xbb, 0xbf, ...json("é", "utf8")]), '{"a":"é"}'],
  ["Latin-1", json("Grüße", "latin1"), null],
  ["UTF-16", json("a", "utf16le"), '{\0"\0a\0"\0:\0"\0a\0"\0}\0'],
  ["a character that is cut", json("😀", "utf8").slice(0, 8), null],
  ["half a surrogate pair", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), null],
  ["an overlong slash", new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), null],
];

test.each(hostile)(
  "a body of %s is read as it is, or refused, and never guessed, however it comes",
  async (_, bytes, text) => {
    const expected =
      text === null ? { ok: false, error: { kind: "json-invalid" } } : { ok: true, value: text };
    for (const type of ["application/json", "application/json; charset=iso-8859-1"]) {
      const atOnce = new Request("https://a.test", {
        method: "POST",
        headers: { "content-type": type, "content-length": String(bytes.length) },
        body: bytes,
      });
      expect(await readJsonText(atOnce, 4096)).toEqual(expected);
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const sending = (async () => {
        for (const byte of bytes) await writer.write(new Uint8Array([byte]));
        await writer.close();
      })().catch(() => undefined);
      const pieces = new Request("https://a.test", {
        method: "POST",
        headers: { "content-type": type },
        body: readable,
        duplex: "half",
      } as RequestInit);
      expect(await readJsonText(pieces, 4096)).toEqual(expected);
      await sending;
    }
  },
);

const whole = (bytes: Uint8Array<ArrayBuffer>): Request =>
  new Request("https://a.test", {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": String(bytes.length) },
    body: bytes,
  });
const brokenText = fc
  .array(fc.oneof(fc.string({ unit: "binary" }).map(utf8), fc.uint8Array({ maxLength: 4 })), { maxLength: 8 })
  .map((parts) => new Uint8Array(parts.flatMap((part) => [...part])));

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

test("a body of declared length is read as a strict decoder reads it, or refused where its text would be longer than it", async () => {
  await fc.assert(
    fc.asyncProperty(brokenText, async (bytes) => {
      fc.pre(bytes[0] !== 0xef);
      const lenient = new TextDecoder().decode(bytes);
      const expected =
        utf8(lenient).length > bytes.length
          ? { ok: false, error: { kind: "json-invalid" } }
          : { ok: true, value: lenient };
      expect(await readJsonText(whole(bytes), 4096)).toEqual(expected);
    }),
  );
});

test("of a body whose length is declared, U+FFFD stands for three bytes of a character of four, and is taken where it was sent", async () => {
  const cut = new Uint8Array([0x22, ...utf8("😀").slice(0, 3), 0x22]);
  expect(await readJsonText(whole(cut), 4096)).toEqual({ ok: true, value: '"\uFFFD"' });
  expect(await readJsonText(whole(utf8('"\uFFFD"')), 4096)).toEqual({ ok: true, value: '"\uFFFD"' });
});

test("a compressed body is not taken", async () => {
  expect(await readJsonText(request("gzip"), 4096)).toMatchObject({
    error: { kind: "media-type-unsupported" },
  });
});
