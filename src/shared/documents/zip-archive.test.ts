import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Entry, makeZip, utf8 } from "../../../test/workers/make-archive.ts";
import { inflate } from "../../../workers/document-reader/inflate.ts";
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";
import { ZipArchive } from "./zip-archive.ts";

const content = "The quick brown fox. ".repeat(50);

/** What comes of reading the first entry: its text, or the fault. */
function read(bytes: Uint8Array, name = "a.xml"): string | null {
  try {
    const found = new ZipArchive(bytes, inflate).read(name);
    return found === null ? null : new TextDecoder().decode(found);
  } catch (error) {
    if (error instanceof Unreadable) return error.fault;
    throw error;
  }
}

function archive(entry: Partial<Entry>): Uint8Array {
  return makeZip([{ name: "a.xml", content, ...entry }]);
}

test.each([
  ["deflated", {}],
  ["stored", { isStored: true }],
  ["told in ZIP64", { isZip64: true }],
  ["under another spelling", { name: "/A.XML" }],
  ["named by Windows", { name: "\\a.xml" }],
])("an entry is unpacked: %s", (_, entry) => {
  expect(read(archive(entry))).toBe(content);
  expect(read(archive(entry), "b.xml")).toBeNull();
});

test("behind a comment, and of no bytes", () => {
  const bytes = archive({ content: "" });
  expect(read(bytes)).toBe("");
  const comment = utf8("c".repeat(300));
  const longer = new Uint8Array(bytes.byteLength + comment.byteLength);
  longer.set(bytes);
  longer.set(comment, bytes.byteLength);
  expect(read(longer)).toBe("");
});

test.each<readonly [string, Partial<Entry>, string]>([
  ["encrypted", { lies: { flags: 1 } }, "encrypted"],
  ["packed by another method", { lies: { method: 12 } }, "broken"],
  ["with a wrong checksum", { lies: { crc: 1 } }, "broken"],
  ["with a wrong checksum, stored", { isStored: true, lies: { crc: 1 } }, "broken"],
  ["longer than it says: a bomb", { content: new Uint8Array(10_000_000), lies: { bytes: 10 } }, "broken"],
  ["shorter than it says", { lies: { bytes: 5000 } }, "broken"],
  ["cut off", { lies: { packedBytes: 10 } }, "broken"],
  ["beyond the archive", { lies: { packedBytes: 1_000_000 } }, "broken"],
  ["with its beginning elsewhere", { lies: { offset: 20 } }, "broken"],
  ["with its beginning outside", { lies: { offset: 4_000_000_000 } }, "broken"],
  ["too large for ZIP's own numbers, and nowhere else told", { lies: { bytes: 0xffffffff } }, "broken"],
  ["large, as it says itself", { lies: { bytes: documentBounds.zipEntryBytes + 1 } }, "too-much-inside"],
])("an entry is refused: %s", (_, entry, fault) => {
  expect(read(archive(entry))).toBe(fault);
});

test("entries that are one and the same are unpacked as often as they are named, and no oftener than there is room for", () => {
  const large = archive({ content: new Uint8Array(documentBounds.zipEntryBytes) });
  const bomb = new ZipArchive(large, inflate);
  for (let times = 0; times * documentBounds.zipEntryBytes < documentBounds.zipBytes; times += 1)
    expect(bomb.read("a.xml")?.byteLength).toBe(documentBounds.zipEntryBytes);
  expect(() => bomb.read("a.xml")).toThrow("too-much-inside");
});

test("a directory of more entries than a document has is not read", () => {
  expect(read(makeZip([{ name: "a.xml", content }], documentBounds.zipEntries + 1))).toBe("too-much-inside");
  expect(read(makeZip([{ name: "a.xml", content }], 2))).toBe("broken");
  expect(read(new Uint8Array(0))).toBe("broken");
  expect(read(new Uint8Array(70_000))).toBe("broken");
});

test("whatever is changed in an archive, it is unpacked as it was, or has nothing to say, or is refused", () => {
  const bytes = makeZip([
    { name: "a.xml", content },
    { name: "b.xml", content: "b", isZip64: true },
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(bytes.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(bytes.byteLength),
      (changes, length) => {
        const changed = bytes.slice(0, length < 20 ? length : undefined);
        for (const [at, byte] of changes) changed[at] = byte;
        expect([content, "b", null, "broken", "encrypted", "too-much-inside"]).toContain(read(changed));
      },
    ),
    { numRuns: 500 },
  );
});
