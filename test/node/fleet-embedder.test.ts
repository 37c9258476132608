/** Vectors by a model of the fleet: against the dev fleet's own replicas, and against answers that are none. */
import { expect, test } from "vitest";
import { fleetEmbedder } from "../../src/shared/retrieval/fleet-embedder.ts";
import type { OriginFailure } from "../../src/shared/routing/ports.ts";
import { bodyOf, callerOf, devOrigin, scriptedOrigin, valueOf, vectorsAnswer } from "./fleet-caller.ts";

test("what is longer than the model's window is embedded by its beginning, also where the estimate was wrong", async () => {
  const embedder = valueOf(fleetEmbedder(callerOf(devOrigin()), "bge-small"));
  for (const text of ["word ".repeat(3000), "東京の天気".repeat(600), "x1!".repeat(2000), "", "<|eot_id|>"])
    expect(valueOf(await embedder.embed([text], "passage")).length).toBe(1);
  const tooLong: OriginFailure = {
    kind: "context-too-long",
    windowTokens: 512,
    promptTokens: 600,
    answerTokens: 0,
  };
  const { origin, asked } = scriptedOrigin(tooLong, vectorsAnswer([1, 0]), tooLong, tooLong);
  const careful = valueOf(fleetEmbedder(callerOf(origin), "bge-small"));
  valueOf(await careful.embed(["word ".repeat(3000)], "passage"));
  const lengths = asked.map((request) => (bodyOf(request)["input"] as string[])[0]?.length ?? 0);
  expect(lengths[1]).toBeLessThan((lengths[0] ?? 0) * 0.6);
  expect(await careful.embed(["word"], "query")).toMatchObject({
    ok: false,
    error: { kind: "context-too-long" },
  });
});

test("many texts go in several calls and come back in their order, of length 1, whatever the engine's", async () => {
  const texts = Array.from({ length: 70 }, (_, at) => `text ${at}`);
  const shuffled = JSON.stringify({
    data: texts.slice(0, 64).map((_, at) => ({ index: 63 - at, embedding: [63 - at, 1] })),
  });
  const { origin, asked, reported } = scriptedOrigin(
    shuffled,
    vectorsAnswer(...texts.slice(64).map(() => [3, 4])),
  );
  const vectors = valueOf(
    await valueOf(fleetEmbedder(callerOf(origin), "bge-small")).embed(texts, "passage"),
  );
  expect(asked.map((request) => (bodyOf(request)["input"] as string[]).length)).toEqual([64, 6]);
  expect(bodyOf(asked[0] ?? { body: "{}" })).toMatchObject({
    model: "BAAI/bge-small-en-v1.5",
    encoding_format: "float",
  });
  expect(vectors[2]?.[0]).toBeCloseTo(2 / Math.hypot(2, 1), 5);
  expect([...(vectors[69] ?? [])].map((value) => value.toFixed(2))).toEqual(["0.60", "0.80"]);
  expect(reported).toEqual(["done", "done"]);
});

test.each([
  ["no JSON", "<html>"],
  ["no object", "[]"],
  ["no data", "{}"],
  ["too few", vectorsAnswer([1, 0])],
  ["two lengths", vectorsAnswer([1, 0], [1])],
  ["nothing in them", vectorsAnswer([], [])],
  ["words for numbers", JSON.stringify({ data: [{ embedding: ["a"] }, { embedding: [1] }] })],
  ["all zero", vectorsAnswer([0, 0], [1, 0])],
  [
    "one index twice",
    JSON.stringify({
      data: [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
    }),
  ],
])("embeddings that are %s are a failure of the origin", async (_, answer) => {
  // Where it was no answer at all, another cluster of the same model may have one.
  const { origin } = scriptedOrigin(answer, answer);
  const embedded = await valueOf(fleetEmbedder(callerOf(origin), "bge-small")).embed(["a", "b"], "query");
  expect(embedded).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
});

test("vectors in base64 are read as well", async () => {
  const bytes = Buffer.from(Float32Array.of(0, 2).buffer).toString("base64");
  const { origin } = scriptedOrigin(JSON.stringify({ data: [{ index: 0, embedding: bytes }] }));
  const vectors = valueOf(await valueOf(fleetEmbedder(callerOf(origin), "bge-small")).embed(["a"], "query"));
  expect([...(vectors[0] ?? [])]).toEqual([0, 1]);
});
