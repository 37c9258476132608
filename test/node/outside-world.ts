/** One vector store and the index beside it, as seeded tests drive them: files come and go, calls are lost, late, and killed on their way. */
import * as fc from "fast-check";
import { expect, vi } from "vitest";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { OutsideMoves } from "../../durable-objects/knowledge-base/outside-moves.ts";
import { OutsideSearch } from "../../durable-objects/knowledge-base/outside-search.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { ok } from "../../src/shared/contracts/result.ts";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import type { Embedder } from "../../src/shared/retrieval/ports.ts";
import { vectorizeVectors } from "../../src/shared/retrieval/vectorize-index.ts";
import { FakeVectorize } from "../workers/fake-vectorize.ts";

const dimensions = 4;
export const bounds = { from: 6, compared: 10_000 };
export const head = {
  id: "vs_world",
  owner: { tenant: "demo", user: "ann" },
  jurisdiction: "none",
  maxPassages: 20_000,
} as const;

function embedderOf(id: string): Embedder {
  return {
    id,
    dimensions,
    embed: (texts) => Promise.resolve(ok(texts.map(() => Float32Array.of(1, 0, 0, 0)))),
  };
}

/** What a test does to the world, one after another. */
export const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      file: fc.nat(5),
      passages: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), file: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("step" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("kill" as const), call: fc.nat(2), when: fc.nat(1) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("settle" as const), most: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fail" as const), call: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("embedder" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("other" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("later" as const), minutes: fc.integer({ min: 1, max: 30 }) }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;
/** Of the index. */
export const calls = ["describe", "upsert", "deleteByIds", "query"] as const;

/** One store, its index, and the clock (fake timers) by which both go on. */
export class OutsideWorld {
  readonly sql = new NodeSql();
  readonly vectorize = new FakeVectorize(dimensions);
  readonly files = new Map<string, number>();
  embedder = embedderOf("first");
  store = new PassageStore(this.sql);
  moves = this.#moves();
  search = new OutsideSearch(this.moves, this.store);
  /** Calls of killed objects that have not arrived yet. */
  readonly late: (() => void)[] = [];

  #moves(): OutsideMoves {
    return new OutsideMoves(this.sql, this.store, {
      outside: () => ({ ...vectorizeVectors(this.vectorize), bounds }),
      report: () => undefined,
    });
  }

  /** Memory is lost, storage stays. */
  evict(): void {
    this.store = new PassageStore(this.sql);
    this.moves = this.#moves();
    this.search = new OutsideSearch(this.moves, this.store);
  }

  async act(one: Action): Promise<void> {
    switch (one.kind) {
      case "put":
        return this.#put(`f${one.file}`, one.passages);
      case "remove":
        this.files.delete(`f${one.file}`);
        this.store.remove(`f${one.file}`);
        return;
      case "step":
        return this.moves.step(head);
      case "kill":
        return this.#kill(calls[one.call] ?? "upsert", one.when === 0 ? "before" : "behind");
      case "settle":
        this.vectorize.settle(one.most);
        return;
      case "fail": {
        const call = calls[one.call] ?? "query";
        this.vectorize.down.add(call);
        await this.moves.step(head);
        this.vectorize.down.delete(call);
        return;
      }
      case "embedder":
        // All files are attached again, as somebody does who changed it.
        this.embedder = embedderOf(this.embedder.id === "first" ? "second" : "first");
        for (const [file, passages] of this.files) this.#put(file, passages);
        return;
      case "other":
        // Another tenant's, of about the same time: it is what the index names then.
        await this.vectorize.upsert([
          { id: "other/1", namespace: "other", values: Float32Array.of(1, 0, 0, 0) },
        ]);
        return;
      case "later":
        // What a killed object sent arrives before the next minute is over, or never.
        for (const arrive of this.late.splice(0)) arrive();
        await vi.advanceTimersByTimeAsync(one.minutes * 60_000);
    }
  }

  #put(file: string, count: number): void {
    this.files.set(file, count);
    this.store.put({
      id: file,
      filename: file,
      attributes: {},
      passages: Array.from({ length: count }, (_, at) => ({
        text: `${file} ${at}`,
        start: at,
        end: at + 1,
        headings: [],
      })),
      vectors: Array.from({ length: count }, (_, at) => Float32Array.of(0.8, 0.6, at / 100, 0)),
      embedderId: this.embedder.id,
    });
  }

  async #kill(call: (typeof calls)[number], when: "before" | "behind"): Promise<void> {
    const gone = Promise.withResolvers<void>();
    const never = new Promise<void>(() => undefined);
    this.vectorize.pass = (one, place) => {
      if (place === "before" && (one !== call || when === "behind")) return Promise.resolve();
      if (place === "behind" && one !== call) return Promise.resolve();
      gone.resolve();
      // Whoever sent it is no more, and hears nothing.
      if (place === "behind") return never;
      const arrival = Promise.withResolvers<void>();
      this.late.push(arrival.resolve);
      return arrival.promise;
    };
    await Promise.race([this.moves.step(head), gone.promise]);
    this.vectorize.pass = () => Promise.resolve();
    this.evict();
  }

  /** Every passage that there is, and no other. */
  async check(): Promise<void> {
    const index = this.search.indexFor(head, this.embedder.id, null);
    const found = await findPassages(
      { queries: ["?"], maxResults: 50, filters: null, scoreThreshold: 0, rerank: false },
      {
        store: this.store,
        embedder: this.embedder,
        reranker: lexicalReranker,
        ...(index === undefined ? {} : { index }),
      },
    );
    if (!found.ok) throw new Error(found.error.kind);
    expect(found.value.lacking).toBeUndefined();
    const expected = [...this.files].flatMap(([file, count]) =>
      Array.from({ length: count }, (_, at) => `${file} ${at}`),
    );
    expect(found.value.passages.map(({ text }) => text).sort()).toEqual(expected.sort());
  }

  /** Of this store. */
  get indexed(): number {
    return [...this.vectorize.found.values()].filter(({ namespace }) => namespace !== "other").length;
  }

  async drain(): Promise<void> {
    for (const arrive of this.late.splice(0)) arrive();
    for (let rounds = 0; rounds < 40; rounds += 1) {
      await this.moves.step(head);
      this.vectorize.settle();
      await vi.advanceTimersByTimeAsync(130_000);
    }
  }
}
