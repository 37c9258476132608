import { expect, test } from "vitest";
import { inlineRows, makeXlsx } from "../../../test/workers/make-documents.ts";
import { read, textOf } from "../../../test/node/office-text-fixture.ts";

test("a workbook is its sheets, each a page under its name, its rows with their columns' names", async () => {
  const rows = `<row><c r="A1" t="s"><v>0</v></c></row><row r="2"/>
    <row><c r="A3" t="s"><v>1</v></c><c r="B3" t="inlineStr"><is><r><t>Bo</t></r><r><t>rn</t></r><rPh><t>x</t></rPh></is></c><c r="D3" t="str"><f>1</f><v>Paid</v></c></row>
    <row><c r="A4" t="s"><v>2</v></c><c r="B4" s="1"><v>45992</v></c><c r="D4" t="b"><v>1</v></c></row>
    <row><c r="A5"><v>0.30000000000000004</v></c><c r="B5" s="2"><v>45992.75</v></c><c r="C5" t="e"><v>#N/A</v></c><c r="D5" s="3"><v>1.5</v></c></row>`;
  const xlsx = makeXlsx(
    [
      { name: "Staff &amp; more", rows },
      { name: "Empty", rows: "" },
      {
        name: "Numbers",
        rows: inlineRows([
          [1, 2],
          [3, 4],
        ]),
      },
    ],
    ["The staff", "Name", "Ada"],
    ["[$-407]d. mmmm yyyy", "yyyy\\-mm\\-dd hh:mm", "[h]:mm"],
  );
  const first =
    "# Staff & more\n\nThe staff\nName: Ada | Born: 2025-12-01 | Paid: TRUE\nName: 0.3 | Born: 2025-12-01 18:00 | #N/A | Paid: 36:00:00\n\n";
  expect(await read(xlsx)).toEqual({
    kind: "markdown",
    text: `${first}# Numbers\n\n1 | 2\n3 | 4`,
    pageStarts: [0, first.length, first.length],
  });
});

test.each([
  ["0.00", "45992"],
  ["General", "45992"],
  ["0 &quot;days&quot;", "45992"],
  ["#,##0\\ [$€-407]", "45992"],
  ["@", "45992"],
  ["0.0%;[Red]-0.0%", "4599200%"],
  ["0.00\\%", "45992"],
  ["m/d/yy", "2025-12-01"],
  ["mmm", "2025-12-01"],
  ["[Red]dd.mm.yyyy;@", "2025-12-01"],
  ["h:mm AM/PM", "00:00"],
  ["mm:ss", "00:00"],
])("a number of the format %s is written %s", async (format, written) => {
  const rows = '<row><c s="1"><v>45992</v></c></row>';
  expect(await textOf(makeXlsx([{ name: "S", rows }], [], [format]))).toBe(`# S\n\n${written}`);
});

test("a hidden sheet is not said, and is no page; what XML has no room for is no word", async () => {
  const sheet = (name: string, text: string) => ({ name, rows: inlineRows([[text]]) });
  const xlsx = makeXlsx([
    sheet("Shown", "One_x000D_two _x005F_x000D_"),
    sheet('Away" state="hidden', "secret"),
    sheet('Deep" state="veryHidden', "secret"),
    sheet("Last", "three"),
  ]);
  const first = "# Shown\n\nOne two _x000D_\n\n";
  expect(await read(xlsx)).toEqual({
    kind: "markdown",
    text: `${first}# Last\n\nthree`,
    pageStarts: [0, first.length],
  });
});

test.each([
  [27, "45992", "2025-12-01"],
  [58, "45992", "2025-12-01"],
  [33, "0.75", "18:00"],
  [55, "45992.5", "2025-12-01 12:00"],
] as const)(
  "by the format %s of Chinese, Japanese and Korean workbooks %s is %s",
  async (id, value, written) => {
    const rows = `<row><c s="1"><v>${value}</v></c></row>`;
    expect(await textOf(makeXlsx([{ name: "S", rows }], [], [id]))).toBe(`# S\n\n${written}`);
  },
);

test("a share is written as it is seen, and not off by a rounding", async () => {
  const rows = '<row><c s="1"><v>0.07</v></c><c s="2"><v>-1.125</v></c></row>';
  expect(await textOf(makeXlsx([{ name: "S", rows }], [], [9, 10]))).toBe("# S\n\n7% | -112.5%");
});

test("names of columns that would swell a sheet over fourfold are left away", async () => {
  const name = "n".repeat(3000);
  const rows = inlineRows([[name, "m"], ...Array.from({ length: 200 }, () => ["a", "b"])]);
  const text = await textOf(makeXlsx([{ name: "S", rows }]));
  expect(text.split("\n").slice(2, 4)).toEqual([`${name} | m`, "a | b"]);
});
