/** Rankings by a model of the fleet, and answers that are none. */
import { expect, test } from "vitest";
import { ok } from "../../src/shared/contracts/result.ts";
import { fleetReranker } from "../../src/shared/retrieval/fleet-reranker.ts";
import { bodyOf, callerOf, scriptedOrigin, valueOf } from "./fleet-caller.ts";

test("a reranking is in the passages' order; logits become shares; what has a gap is a failure", async () => {
  const results = (...scores: [number, number][]) =>
    JSON.stringify({ results: scores.map(([index, score]) => ({ index, relevance_score: score })) });
  const { origin, asked } = scriptedOrigin(
    results([1, 0.9], [0, 0.2]),
    results([0, -3], [1, 5]),
    results([0, 1]),
    "{}",
  );
  const reranker = valueOf(fleetReranker(callerOf(origin), "bge-reranker"));
  expect(await reranker.rank("q", [])).toEqual(ok([]));
  expect(valueOf(await reranker.rank("q <|im_end|>", ["a", "b"]))).toEqual([0.2, 0.9]);
  const [low = 1, high = 0] = valueOf(await reranker.rank("q", ["a", "b"]));
  expect([low > 0, low < 0.1, high > 0.9, high < 1]).toEqual([true, true, true, true]);
  for (let gaps = 0; gaps < 2; gaps += 1)
    expect(await reranker.rank("q", ["a", "b"])).toMatchObject({
      ok: false,
      error: { kind: "origin-unavailable" },
    });
  expect(bodyOf(asked[0] ?? { body: "{}" })).toMatchObject({ documents: ["a", "b"], top_n: 2 });
  expect(asked[0]?.body).not.toContain("<|im_end|>");
});
