import { expect, test } from "vitest";
import { DocumentText } from "./document-text.ts";
import { PdfParagraphs } from "./pdf-paragraphs.ts";

/** Lines as `text`, or with their place and size; what comes of a page of them. */
function pageOf(...lines: readonly (readonly [text: string, y: number, height?: number])[]): string {
  const text = new DocumentText("plain");
  const paragraphs = new PdfParagraphs(text);
  for (const [str, y, height = 10] of lines) {
    paragraphs.add({ str, hasEOL: false, height, transform: [1, 0, 0, 1, 72, y] });
    paragraphs.add({ str: "", hasEOL: true, height: 0, transform: [1, 0, 0, 1, 72, y] });
  }
  paragraphs.endPage();
  return text.end().text;
}

test.each([
  ["against the clock", 1],
  ["with it", -1],
])(
  "what is turned %s is read as if it were not: paragraphs by their lines' distance, and none with what is upright",
  (_, turn) => {
    const text = new DocumentText("plain");
    const paragraphs = new PdfParagraphs(text);
    const add = (str: string, transform: readonly number[]): void => {
      paragraphs.add({ str, hasEOL: true, height: 10, transform });
    };
    add("Upright.", [10, 0, 0, 10, 72, 300]);
    for (const [str, under] of [
      ["The shop opens", 0],
      ["at nine.", 12],
      ["Maps stay.", 40],
    ] as const)
      add(str, [0, 10 * turn, -10 * turn, 0, 300 + turn * under, 300]);
    paragraphs.endPage();
    expect(text.end().text).toBe("Upright.\n\nThe shop opens at nine.\n\nMaps stay.");
  },
);

test("what stands upside down is read in paragraphs as well", () => {
  const text = new DocumentText("plain");
  const paragraphs = new PdfParagraphs(text);
  for (const [str, y] of [
    ["The shop opens", 300],
    ["at nine.", 312],
    ["Maps stay.", 340],
  ] as const)
    paragraphs.add({ str, hasEOL: true, height: 10, transform: [-10, 0, 0, -10, 500, y] });
  paragraphs.endPage();
  expect(text.end().text).toBe("The shop opens at nine.\n\nMaps stay.");
});

test.each([
  [
    "lines at the usual distance are one paragraph",
    [
      ["The shop opens", 700],
      ["at nine.", 688],
    ],
    "The shop opens at nine.",
  ],
  [
    "a gap ends it",
    [
      ["One.", 700],
      ["Two.", 670],
    ],
    "One.\n\nTwo.",
  ],
  [
    "another size ends it",
    [
      ["Title", 700, 18],
      ["Text.", 685],
    ],
    "Title\n\nText.",
  ],
  [
    "another column ends it",
    [
      ["Left.", 100],
      ["Right.", 700],
    ],
    "Left.\n\nRight.",
  ],
  [
    "a sentence goes on in another column",
    [
      ["The shop opens, in", 100],
      ["summer, at nine.", 700],
    ],
    "The shop opens, in summer, at nine.",
  ],
  [
    "so does a word that is cut",
    [
      ["An infor-", 100],
      ["mation desk.", 700],
    ],
    "An information desk.",
  ],
  [
    "but no list, no title and no sentence that has ended",
    [
      ["apples", 100],
      ["pears", 700],
      ["and plums.", 688],
      ["iron", 700],
    ],
    "apples\n\npears and plums.\n\niron",
  ],
  [
    "a word that is cut goes on",
    [
      ["An infor-", 700],
      ["mation desk.", 688],
    ],
    "An information desk.",
  ],
  [
    "by a soft hyphen, too",
    [
      ["An infor\u00ad", 700],
      ["mation desk.", 688],
    ],
    "An information desk.",
  ],
  [
    "a name with a hyphen keeps it",
    [
      ["Jean-", 700],
      ["Paul left.", 688],
    ],
    "Jean- Paul left.",
  ],
  [
    "what is left away is said behind it, and its hyphen stays",
    [
      ["Ein-", 700],
      ["und Ausgang.", 688],
    ],
    "Ein- und Ausgang.",
  ],
  [
    "a word of several keeps the hyphen at which it is cut",
    [
      ["A state-of-the-", 700],
      ["art desk.", 688],
    ],
    "A state-of-the-art desk.",
  ],
  [
    "items are lines",
    [
      ["Bring:", 700],
      ["• a pen", 688],
      ["• paper", 676],
      ["2. ink", 664],
    ],
    "Bring:\n• a pen\n• paper\n2. ink",
  ],
  [
    "Chinese has no blanks",
    [
      ["你好", 700],
      ["世界", 688],
    ],
    "你好世界",
  ],
  [
    "Arabic is told by its letters, however they are drawn",
    [["ﻣﺮﺣﺒﺎ ﺑﺎﻟﻌﺎﻟﻢ، ﬁve", 700]],
    "مرحبا بالعالم، five",
  ],
  [
    "what has no size stays together",
    [
      ["One", 700, 0],
      ["two", 100, 0],
    ],
    "One two",
  ],
] as const)("%s", (_, lines, expected) => {
  expect(pageOf(...lines)).toBe(expected);
});

test("a small mark above the line does not make it another", () => {
  const text = new DocumentText("plain");
  const paragraphs = new PdfParagraphs(text);
  const piece = (str: string, height: number, y: number, hasEOL = false): void =>
    paragraphs.add({ str, hasEOL, height, transform: [1, 0, 0, 1, 0, y] });
  piece("One", 10, 700);
  piece("1", 5, 705, true);
  piece("two.", 10, 688, true);
  paragraphs.endPage();
  expect(text.end().text).toBe("One1 two.");
});

test("headings of the outline are found by their words, on one line or more; what is said of them elsewhere is none", () => {
  const text = new DocumentText("markdown");
  const paragraphs = new PdfParagraphs(text);
  let y = 700;
  for (const str of [
    "# no heading",
    "1. Opening",
    "hours",
    "Of the opening",
    "hours",
    "3 Loans",
    "Seven books.",
  ]) {
    paragraphs.add({ str, hasEOL: true, height: 10, transform: [1, 0, 0, 1, 72, y] });
    y -= 12;
  }
  paragraphs.endPage([
    { title: "1  Opening Hours", level: 1 },
    { title: "Loans", level: 9 },
    { title: "Elsewhere", level: 1 },
  ]);
  expect(text.end().text).toBe(
    "\\# no heading\n\n# 1. Opening hours\n\nOf the opening hours\n\n###### 3 Loans\n\nSeven books.",
  );
});

test("a line that never ends stops where the bound is", () => {
  const paragraphs = new PdfParagraphs(new DocumentText("plain"));
  const piece = { str: "word ".repeat(200_000), hasEOL: false, height: 1, transform: [1, 0, 0, 1, 0, 0] };
  for (let million = 0; million < 8; million += 1) paragraphs.add(piece);
  expect(() => paragraphs.add(piece)).toThrow("too-much-text");
});
