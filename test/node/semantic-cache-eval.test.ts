import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { halves, precision, readPairs, scorePair, tally, written } from "../../dev/eval-cache.ts";
import { lexicalThreshold } from "../../src/shared/cache/semantic/semantic-policy.ts";
import { SipHash } from "../../src/shared/cache/semantic/sip-hash.ts";

const path = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/cache/question_pairs.jsonl`;
const hash = new SipHash(new Uint8Array(16));

/** The bar: a wrong hit is a lie. On pairs that neither the lists of words nor the threshold were chosen on. */
test.skipIf(!existsSync(path))(
  "as shipped at least 98 of 100 hits on held-out pairs are right, and the page gives the figures",
  () => {
    const { tuning, heldOut } = halves(
      readPairs(readFileSync(path, "utf8")).map((pair) => scorePair(pair, hash)),
    );
    const page = readFileSync(new URL("../../docs/semantic-cache.md", import.meta.url), "utf8");
    const held = tally(heldOut, "canonical", "words", lexicalThreshold);
    expect(precision(held)).toBeGreaterThanOrEqual(0.98);
    expect(held.right / held.same).toBeGreaterThan(0.06);
    expect(page).toContain(written("Held out", held));
    expect(page).toContain(written("tuning", tally(tuning, "canonical", "words", lexicalThreshold)));
  },
);

test("without the guards a near question of another year is a hit, with them it is none", () => {
  const scored = scorePair(
    { a: "Who won the world cup in 2023?", b: "Who won the world cup in 2024?", same: 0 },
    hash,
  );
  expect(tally([scored], "raw", "none", 0.7)).toEqual({ right: 0, wrong: 1, same: 0 });
  expect(tally([scored], "raw", "facts", 0.7)).toEqual({ right: 0, wrong: 0, same: 0 });
});
