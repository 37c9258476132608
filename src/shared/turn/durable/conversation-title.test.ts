import { expect, test } from "vitest";
import { maxTitleCharacters, tidyTitle } from "../../wire/tidy-title.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import { titleOf } from "./conversation-title.ts";

test.for([
  ["Explain quantum computing", "Explain quantum computing"],
  ["\n\n  # Plan for  the week \nMonday: …", "Plan for the week"],
  ['"Quoted"', "Quoted"],
  ["***", null],
  ["", null],
  [
    "Please write a very long and detailed essay about the history of computing machines",
    "Please write a very long and detailed essay about the…",
  ],
  ["あ".repeat(80), `${"あ".repeat(59)}…`],
  ["👩‍👩‍👧".repeat(70), `${"👩‍👩‍👧".repeat(59)}…`],
] as const)("the title of %j is %j", ([text, title]) => {
  expect(titleOf(itemsOfMessages([{ role: "user", content: text }]))).toBe(title);
});

test("it is made of the user's first words, not the model's and not a picture", () => {
  const items = itemsOfMessages([
    { role: "assistant", content: "Welcome" },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
        { type: "text", text: "What is this?" },
      ],
    },
    { role: "user", content: "later" },
  ]);
  expect(titleOf(items)).toBe("What is this?");
  expect(titleOf(itemsOfMessages([{ role: "assistant", content: "x" }]))).toBeNull();
});

test("a given title is one line within its bound", () => {
  expect(tidyTitle("My\ttitle\u0000 ")).toBe("My title");
  expect(tidyTitle("a".repeat(5000))?.length).toBe(maxTitleCharacters);
});
