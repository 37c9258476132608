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
      const whole = new Request("https://a.test", {
        method: "POST",
        headers: { "content-type": type, "content-length": String(bytes.length) },
        body: bytes,
      });
      expect(await readJsonText(whole, 4096)).toEqual(expected);
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

test("a compressed body is not taken", async () => {
  expect(await readJsonText(request("gzip"), 4096)).toMatchObject({
    error: { kind: "media-type-unsupported" },
  });
});
