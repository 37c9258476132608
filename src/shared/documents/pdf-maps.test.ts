import { expect, test } from "vitest";
import { documentBounds } from "./document-bounds.ts";
import { PdfMaps } from "./pdf-maps.ts";

const whole = "1 beginbfrange\n<0000> <ffff> <0000>\nendbfrange\n";

function fault(...texts: readonly string[]): string {
  const maps = new PdfMaps();
  try {
    for (const text of texts) maps.read(text);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  ["none", "/Annots [1 0 R]", ""],
  ["of two bytes", whole, ""],
  ["of a font's few letters", "2 beginbfrange\n<01> <05> <0041>\n<06> <07> [<0041> <0042>]\nendbfrange", ""],
  ["of sixteen million", "1 beginbfrange <000000> <FFFFFF> <0041> endbfrange", "too-much-inside"],
  ["written otherwise", "1 begincidrange< 00 00 00><ff ff\nff>0 endcidrange", "too-much-inside"],
  [
    "behind others",
    `100 beginbfrange ${"<01> <02> <03>\n".repeat(99)}<0000> <10000> <0041>`,
    "too-much-inside",
  ],
])("a map %s", (_, text, message) => {
  expect(fault(text)).toBe(message);
});

test("many maps together are bounded, and a long text of beginnings is looked through in one pass", () => {
  const most = documentBounds.pdfMapCharacters / documentBounds.pdfMapRange;
  expect(fault(...Array.from({ length: most }, () => whole))).toBe("");
  expect(fault(...Array.from({ length: most + 1 }, () => whole))).toBe("too-much-inside");
  expect(fault("beginbfrange ".repeat(200_000))).toBe("");
  expect(fault(`beginbfrange ${"<".repeat(500_000)}`)).toBe("");
}, 60_000);
