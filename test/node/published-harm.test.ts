import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { benignPrompts, harmTexts } from "../../dev/moderation/rows.ts";
import { classify } from "../../src/shared/safety/moderation/classify.ts";
import { plainWords } from "../../src/shared/safety/moderation/plain-words.ts";

/**
 * Are the shipped weights those of the shipped features? The rows are those that they were learned from: this says nothing of how well
 * they judge others, which `npm run eval:safety` does. Runs where the published data is.
 */
const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/safety`;

/** Whoever makes it faster must not make it another: after a change that is meant, the new one. */
function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

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

  test("every word is read and every text flagged as when the weights were learned", () => {
    const texts = harmTexts(folder).map(({ text }) => text);
    expect(digest(texts.map(plainWords))).toBe("24ca28e2b5747ef6d9c639c5ec32161b");
    expect(digest(texts.map((text) => classify(text).map((score) => score >= 0.5)))).toBe(
      "ca5785f0f12e4c0be41f084d75339a94",
    );
  });

  test("questions to chat models pass", () => {
    expect(flaggedOf(benignPrompts(folder))).toBeLessThan(0.01);
  });
});
