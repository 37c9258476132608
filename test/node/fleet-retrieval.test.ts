/** A search whose models are the fleet's: whole, refused, and without what fails. */
import { expect, test } from "vitest";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { err } from "../../src/shared/contracts/result.ts";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { fleetEmbedder } from "../../src/shared/retrieval/fleet-embedder.ts";
import { fleetReranker } from "../../src/shared/retrieval/fleet-reranker.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import type { OriginFailure } from "../../src/shared/routing/ports.ts";
import { callerOf, devOrigin, scriptedOrigin, tenantOf, valueOf } from "./fleet-caller.ts";

test("a store is searched by the dev fleet's embeddings and ranked by its reranker", async () => {
  const asked = new Set<string>();
  const origin = devOrigin();
  const caller = callerOf({
    ...origin,
    dispatch(request, signal) {
      asked.add(request.model);
      return origin.dispatch(request, signal);
    },
  });
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
  expect(asked).toEqual(new Set(["bge-small", "bge-reranker"]));
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

  const broken = { covers: "all" as const, compares: 0, nearest: () => Promise.reject(new Error("x")) };
  const lexical = { store, embedder: lexicalEmbedder, reranker: lexicalReranker };
  expect(valueOf(await findPassages(search, { ...lexical, index: broken }))).toMatchObject({
    passages: [{ text: "alpha beta" }],
    lacking: ["vectors"],
  });
  const gone = scriptedOrigin({ kind: "client-gone" });
  const left = valueOf(fleetEmbedder(callerOf(gone.origin), "bge-small"));
  expect(await findPassages(search, { ...lexical, embedder: left })).toEqual(err({ kind: "client-gone" }));
});
