/** Retrieval's models through the fleet: against the dev fleet's own replicas, and against answers that are none. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { servedModels } from "../../dev/origin/catalog.ts";
import { Replica } from "../../dev/origin/server/replica.ts";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import type { TenantId, UserId } from "../../src/shared/contracts/ids.ts";
import { err, ok } from "../../src/shared/contracts/result.ts";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import type { FleetCaller } from "../../src/shared/retrieval/fleet-call.ts";
import { fleetEmbedder } from "../../src/shared/retrieval/fleet-embedder.ts";
import { fleetReranker } from "../../src/shared/retrieval/fleet-reranker.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import { fleetSchema } from "../../src/shared/routing/fleet-config.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet-index.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import type { Origin, OriginFailure, OriginRequest } from "../../src/shared/routing/ports.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { askInProcess } from "./in-process-replica.ts";

const document = fleetSchema.parse(JSON.parse(readFileSync(`${root}config/fleet.dev.json`, "utf8")));
const fleet = buildFleetIndex(document);

function tenantOf(more: object) {
  return tenantConfigSchema.parse({
    id: "grid",
    issuers: [
      {
        issuer: "https://issuer.test",
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "SECRET" },
      },
    ],
    ...more,
  });
}

function callerOf(origin: Origin, more: Partial<FleetCaller> = {}): FleetCaller {
  return {
    origin,
    fleet,
    tenant: tenantOf({}),
    principal: { tenant: "grid" as TenantId, user: "user" as UserId, tier: "free" },
    requestId: "req",
    traceparent: "00-00000000000000000000000000000001-0000000000000001-01",
    place: {},
    signal: new AbortController().signal,
    deadlineMs: 10_000,
    ...more,
  };
}

/** The dev fleet's replicas of one cluster, without sockets. */
function devOrigin(): Origin {
  const [cluster] = document.clusters;
  if (cluster === undefined) throw new Error("the dev fleet has no cluster");
  const replica = new Replica({
    models: servedModels(cluster),
    settings: { ttftMs: 1, tokenMs: 1, reasoningField: "reasoning" },
    slots: 8,
    quiet: true,
  });
  return createOriginRouter({
    callerRegisters: true,
    state: new RouterState(),
    poller: new Poller(),
    fleet,
    transport: (url, init) => askInProcess(replica, url, init),
    background: { run: (_name, work) => void work.catch(() => undefined) },
    now: () => Date.now(),
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/** Answers each call by the next of these; notes what was asked and what was reported. */
function scriptedOrigin(...answers: (string | OriginFailure)[]) {
  const asked: OriginRequest[] = [];
  const reported: string[] = [];
  const origin: Origin = {
    dispatch(request) {
      asked.push(request);
      const answer = answers.shift();
      if (answer === undefined) throw new Error("asked once more than expected");
      if (typeof answer !== "string") return Promise.resolve(err(answer));
      return Promise.resolve(
        ok({
          status: 200,
          contentType: "application/json",
          text: answer,
          firstChunk: null,
          body: null,
          cluster: "us-east",
          replica: "a",
          attempts: 1,
          arrived: () => undefined,
          report: (outcome: string) => void reported.push(outcome),
        }),
      );
    },
    probe: () => Promise.resolve(true),
  };
  return { origin, asked, reported };
}

function valueOf<T>(result: { ok: true; value: T } | { ok: false; error: { kind: string } }): T {
  if (!result.ok) throw new Error(result.error.kind);
  return result.value;
}

const bodyOf = ({ body }: Pick<OriginRequest, "body">) => JSON.parse(body) as Record<string, unknown>;
const vectorsAnswer = (...vectors: number[][]) =>
  JSON.stringify({
    data: vectors.map((embedding, index) => ({ index, embedding })),
    usage: { prompt_tokens: 7 },
  });

test("a store is searched by the dev fleet's embeddings and ranked by its reranker", async () => {
  const tokens: string[] = [];
  const caller = callerOf(devOrigin(), { onTokens: (model, count) => tokens.push(`${model} ${count > 0}`) });
  const embedder = valueOf(fleetEmbedder(caller, "bge-small"));
  const reranker = valueOf(fleetReranker(caller, "bge-reranker"));
  expect(embedder.id).toBe("fleet:bge-small:BAAI/bge-small-en-v1.5");
  const texts = [
    "Replicas restart when the pool drains.",
    "Bread is baked in an oven.",
    "The pool was painted blue.",
  ];
  const vectors = valueOf(await embedder.embed(texts, "passage"));
  expect(embedder.dimensions).toBe(384);
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  const store = new PassageStore(new NodeSql());
  store.put({
    id: "a",
    filename: "a.txt",
    attributes: {},
    passages: texts.map((text, at) => ({ text, start: at * 100, end: at * 100 + text.length, headings: [] })),
    vectors,
    embedderId: embedder.id,
  });
  const found = await findPassages(
    { queries: ["When do replicas restart?"], maxResults: 2, filters: null, scoreThreshold: 0, rerank: true },
    { store, embedder, reranker },
  );
  const { passages, lacking } = valueOf(found);
  expect(passages.map(({ text }) => text)[0]).toBe(texts[0]);
  expect(passages.length).toBe(2);
  expect(lacking).toBeUndefined();
  expect(new Set(tokens)).toEqual(new Set(["bge-small true", "bge-reranker true"]));
});

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

test("a model that is not there, can't do it, or is not the tenant's is refused before anything is asked", () => {
  const { origin } = scriptedOrigin();
  const caller = callerOf(origin);
  expect(fleetEmbedder(caller, "nobody")).toMatchObject({ ok: false, error: { kind: "model-unknown" } });
  expect(fleetEmbedder(caller, "bge-reranker")).toMatchObject({
    ok: false,
    error: { kind: "parameter-unsupported" },
  });
  expect(fleetReranker(caller, "bge-small")).toMatchObject({
    ok: false,
    error: { kind: "parameter-unsupported" },
  });
  const strict = callerOf(origin, { tenant: tenantOf({ models: { allow: ["auto"] } }) });
  expect(fleetEmbedder(strict, "bge-small")).toMatchObject({ ok: false, error: { kind: "model-unknown" } });
});

test("a search does without what fails, and says so", async () => {
  const store = new PassageStore(new NodeSql());
  store.put({
    id: "a",
    filename: "a.txt",
    attributes: {},
    passages: [{ text: "alpha beta", start: 0, end: 10, headings: [] }],
    vectors: null,
    embedderId: "none",
  });
  const search = { queries: ["alpha"], maxResults: 5, filters: null, scoreThreshold: 0, rerank: true };
  const down: OriginFailure = { kind: "overloaded", retryAfterMs: 1 };
  const { origin } = scriptedOrigin(down, down, down, down);
  const told: string[] = [];
  const embedder = valueOf(fleetEmbedder(callerOf(origin), "bge-small"));
  const reranker = valueOf(fleetReranker(callerOf(origin), "bge-reranker"));
  const parts = { store, embedder, reranker, onLack: (part: string) => void told.push(part) };
  const found = valueOf(await findPassages(search, parts));
  expect(found).toMatchObject({ passages: [{ text: "alpha beta" }], lacking: ["vectors", "rerank"] });
  expect(told).toEqual(["vectors", "rerank"]);

  const broken = {
    upsert: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    nearest: () => Promise.reject(new Error("x")),
  };
  const lexical = { store, embedder: lexicalEmbedder, reranker: lexicalReranker };
  expect(valueOf(await findPassages(search, { ...lexical, index: broken }))).toMatchObject({
    passages: [{ text: "alpha beta" }],
    lacking: ["vectors"],
  });
  const gone = scriptedOrigin({ kind: "client-gone" });
  const left = valueOf(fleetEmbedder(callerOf(gone.origin), "bge-small"));
  expect(await findPassages(search, { ...lexical, embedder: left })).toEqual(err({ kind: "client-gone" }));
});
