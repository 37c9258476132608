import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lexicalEmbedder, lexicalVector } from "./lexical-embedder.ts";

function cosine(left: string, right: string): number {
  const other = lexicalVector(right);
  return lexicalVector(left).reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

test("a vector has its length, is of length 1, and is the same each time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 }), async (texts) => {
      const first = await lexicalEmbedder.embed(texts, "passage");
      const second = await lexicalEmbedder.embed(texts, "query");
      if (!first.ok) throw new Error(first.error.kind);
      expect(second).toEqual(first);
      expect(first.value.length).toBe(texts.length);
      for (const vector of first.value) {
        expect(vector.length).toBe(lexicalEmbedder.dimensions);
        const length = Math.hypot(...vector);
        // A text without a word has none.
        expect(length === 0 || Math.abs(length - 1) < 1e-5).toBe(true);
      }
    }),
  );
});

test("texts that share words are nearer than those that share none", () => {
  const question = "How do I reset my password?";
  expect(cosine(question, question)).toBeCloseTo(1, 5);
  expect(cosine(question, "Resetting a forgotten password")).toBeGreaterThan(0.5);
  expect(cosine(question, "How do I bake bread?")).toBeLessThan(0.2);
  expect(cosine(question, "How do I reset my pasword?")).toBeGreaterThan(0.5);
  expect(cosine("东京的天气怎么样", "东京天气")).toBeGreaterThan(0.35);
  expect(cosine("東京の天気", "大阪の食べ物")).toBeLessThan(0.3);
});

test("its version names what it computes", () => {
  expect(lexicalEmbedder.id).toBe("lexical-2-1024");
  // Whoever changes this number changes `id` as well: stored vectors would be compared with others.
  const sum = lexicalVector("The replica answers from its cache.").reduce(
    (total, value, at) => total + value * (at + 1),
    0,
  );
  expect(sum).toBeCloseTo(-413.0188, 3);
});
