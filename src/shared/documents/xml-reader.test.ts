import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../../test/workers/make-archive.ts";
import { documentBounds } from "./document-bounds.ts";
import { Unreadable } from "./unreadable.ts";
import { attributeOf, prefixedAttributeOf, readXml } from "./xml-reader.ts";

/** `<a>`, `</a>` and texts as they are told, or the fault. */
function told(xml: string | Uint8Array): string {
  let all = "";
  try {
    readXml(typeof xml === "string" ? utf8(xml) : xml, {
      open: (name) => void (all += `<${name}>`),
      close: (name) => void (all += `</${name}>`),
      text: (text) => void (all += text),
    });
    return all;
  } catch (error) {
    if (error instanceof Unreadable) return error.fault;
    throw error;
  }
}

test.each([
  ["<a>b</a>", "<a>b</a>"],
  ['\ufeff<?xml version="1.0"?>\n<w:a x="1>2"><w:b/></w:a>\n', "<a><b></b></a>"],
  ["<a>1 &lt; 2 &amp;amp; &#233;&#xE9;</a>", "<a>1 < 2 &amp; éé</a>"],
  ["<a><![CDATA[<b> & ]]></a>", "<a><b> & </a>"],
  ["<a><!-- </a> -->b</a><!-- end -->", "<a>b</a>"],
  ["<a\n b='>'\n>c</a >", "<a>c</a>"],
])("%s is told as %s", (xml, expected) => {
  expect(told(xml)).toBe(expected);
});

test.each([
  ["entities of its own", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
  ["an end that is another's", "<a><b></a></b>"],
  ["no end", "<a><b></b>"],
  ["an end too many", "<a></a></a>"],
  ["a tag that never ends", '<a b="'],
  ["a comment that never ends", "<a><!-- "],
  ["text outside", "text"],
  ["a tag without a name", "<a>< b></a>"],
  ["no UTF-8", Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e)],
  ["more depth than a document has", "<a>".repeat(documentBounds.xmlDepth + 1)],
  ["a tag longer than any", `<a b="${"c".repeat(2 * documentBounds.xmlTag)}"/>`],
])("what is no XML of Office is refused: %s", (_, xml) => {
  expect(told(xml)).toBe("broken");
});

test("UTF-16 is known by its mark", () => {
  const units = Uint16Array.from("\ufeff<a>é</a>", (unit) => unit.charCodeAt(0));
  expect(told(new Uint8Array(units.buffer))).toBe("<a>é</a>");
});

test("what a portion cuts in two is told as if it were whole", () => {
  // Portions are 65,536 bytes: each of these pieces comes to lie across an end of one.
  const pieces = ["<b c='&gt;>'/>", "&amp;", "&#x1F600;", "é😀", "<![CDATA[<x>]]>", "<!-- - -->", "text"];
  fc.assert(
    fc.property(
      fc.nat(40),
      fc.array(fc.constantFrom(...pieces), { minLength: 8, maxLength: 8 }),
      (less, some) => {
        const filler = "f".repeat(65_536 - 30 - less);
        const inner = some.join("");
        const alone = told(`<a>${inner}</a>`).slice("<a>".length);
        expect(told(`<a>${filler}${inner}</a>`)).toBe(`<a>${filler}${alone}`);
      },
    ),
    { numRuns: 60 },
  );
});

test("any bytes are told or refused", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("<", ">", "a", "/", '"', "!", "-", "[", "&", " ", "?", "é")),
      (some) => {
        expect(typeof told(some.join(""))).toBe("string");
      },
    ),
  );
});

test("attributes are found by their local name, and by having a prefix", () => {
  const attributes = ` id="256" r:id = 'rId2' w:val="a &amp; b" other="val='no'"`;
  expect(attributeOf(attributes, "val")).toBe("a & b");
  expect(attributeOf(attributes, "id")).toBe("256");
  expect(prefixedAttributeOf(attributes, "id")).toBe("rId2");
  expect(prefixedAttributeOf(attributes, "other")).toBeNull();
  expect(attributeOf("", "val")).toBeNull();
});

test.each(["<a b='", "<a>&", "<!--", "<a ", "<a/>", "<?x ", "]]>"])(
  "a megabyte of %s is read in one pass",
  (unit) => {
    expect(typeof told(`<a>${unit.repeat(1_000_000 / unit.length)}`)).toBe("string");
  },
  60_000,
);
