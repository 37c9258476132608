import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { benignPrompts, harmTexts } from "../../dev/moderation/rows.ts";
import { classify } from "../../src/shared/safety/moderation/classify.ts";

/**
 * Are the shipped weights those of the shipped features? The rows are those that they were learned from: this says nothing of how well
 * they judge others, which `npm run eval:safety` does. Runs where the published data is.
 */
const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/safety`;

describe.skipIf(!existsSync(folder))("published harm", () => {
  function flaggedOf(texts: readonly { readonly text: string }[]): number {
    const flagged = texts.filter(({ text }) => classify(text).some((score) => score >= 0.5));
    return flagged.length / texts.length;
  }

  test("most of what HateCheck calls hateful is flagged, little of what it does not", () => {
    const rows = harmTexts(folder).filter(({ source }) => source === "hatecheck");
    expect(flaggedOf(rows.filter(({ harmful }) => harmful))).toBeGreaterThan(0.95);
    expect(flaggedOf(rows.filter(({ harmful }) => !harmful))).toBeLessThan(0.15);
  });

  test("questions to chat models pass", () => {
    expect(flaggedOf(benignPrompts(folder))).toBeLessThan(0.01);
  });
});
