import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { joined, utf8 } from "../../../test/workers/make-archive.ts";
import { inflate } from "../../../workers/document-reader/inflate.ts";
import { documentBounds } from "./document-bounds.ts";
import { checkPdfStreams } from "./pdf-streams.ts";

function stream(dictionary: string, packed: Uint8Array, lineEnd = "\n"): Uint8Array<ArrayBuffer> {
  return joined([
    utf8(`1 0 obj\n<< ${dictionary} >>\nstream${lineEnd}`),
    packed,
    utf8("\nendstream\nendobj\n"),
  ]);
}

/** With the header that PDF's deflate has; without the checksum, which many a writer leaves away. */
function packed(bytes: number): Uint8Array<ArrayBuffer> {
  return joined([Uint8Array.of(0x78, 0x9c), deflateRawSync(new Uint8Array(bytes))]);
}

function check(...streams: readonly Uint8Array[]): string {
  try {
    checkPdfStreams(joined(streams), inflate);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const deflate = "/Length 9 /Filter /FlateDecode";
const bomb = packed(documentBounds.pdfStreamBytes + 1_000_000);

test.each<readonly [string, Uint8Array, string]>([
  ["a page", stream(deflate, packed(100_000)), ""],
  ["a bomb", stream(deflate, bomb), "too-much-inside"],
  [
    "a bomb by the short name, behind Windows' line end",
    stream("/Filter[/Fl]", bomb, "\r\n"),
    "too-much-inside",
  ],
  ["a bomb that was never finished", stream(deflate, bomb).slice(0, -20), "too-much-inside"],
  ["one packed twice", stream("/Filter [/FlateDecode /FlateDecode]", packed(10)), "too-much-inside"],
  ["a picture, which nobody unpacks", stream(`/Subtype /Image ${deflate}`, bomb), ""],
  ["what is packed otherwise", stream("/Filter /DCTDecode", bomb), ""],
  ["what is no deflate at all", stream(deflate, utf8("nothing")), ""],
  ["a word of a text", utf8("a stream of words"), ""],
])("%s", (_, bytes, fault) => {
  expect(check(bytes)).toBe(fault);
});

test("many streams together are a bomb, too, and so are many that break off", () => {
  const large = stream(deflate, packed(documentBounds.pdfStreamBytes));
  const most = documentBounds.zipBytes / documentBounds.pdfStreamBytes;
  expect(check(...Array.from({ length: most }, () => large))).toBe("");
  expect(check(...Array.from({ length: most + 1 }, () => large))).toBe("too-much-inside");
  const broken = stream(deflate, joined([Uint8Array.of(0x78, 0x9c), new Uint8Array(8).fill(0xff)]));
  expect(check(...Array.from({ length: 40 }, () => broken))).toBe("");
  expect(check(...Array.from({ length: 60 }, () => broken))).toBe("too-much-inside");
});

test("a file of nothing but beginnings is looked through in one pass", () => {
  const beginnings = utf8("stream\n".repeat(60_000));
  expect(check(beginnings)).toBe("too-much-inside");
  expect(check(utf8(`<< ${deflate} >> stream\n`.repeat(40_000)))).toBe("");
  expect(check(utf8("s".repeat(10_000_000)))).toBe("");
}, 60_000);
