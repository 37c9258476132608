import { expect, test } from "vitest";
import { pastedFiles } from "./pasted-files.ts";

function pasted(text: string, ...names: readonly string[]): readonly string[] {
  const files = names.map((name) => new File(["x"], name)) as unknown as FileList;
  return pastedFiles({ files, getData: () => text }).map(({ name }) => name);
}

test("what is pasted as text stays text, whatever picture of it comes along", () => {
  expect(pasted("Name\tBorn", "image.png")).toEqual([]);
  expect(pasted("just words")).toEqual([]);
});

test("files are attached, also where the system gives their names as text", () => {
  expect(pasted("", "image.png")).toEqual(["image.png"]);
  expect(pasted("plan.pdf", "plan.pdf")).toEqual(["plan.pdf"]);
  expect(pasted("plan.pdf\r\nphoto of me.jpg\n", "plan.pdf", "photo of me.jpg")).toEqual([
    "plan.pdf",
    "photo of me.jpg",
  ]);
});
