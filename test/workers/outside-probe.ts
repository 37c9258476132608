/** A vector store whose vectors may lie in an index outside: a small one does for it, since the bounds are the test's. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import type { FoundPassages } from "../../src/shared/retrieval/ports.ts";
import { FakeVectorize } from "./fake-vectorize.ts";
import { KnowledgeProbe } from "./knowledge-probe.ts";

export class OutsideProbe extends KnowledgeProbe {
  /** Some tests share one. */
  readonly vectorize: FakeVectorize;

  constructor(vectorize = new FakeVectorize(lexicalEmbedder.dimensions)) {
    super();
    this.vectorize = vectorize;
    this.control.vectorize = vectorize;
  }

  /** Of as many passages: each is of one word that no other text has, and some that all have. */
  words(id: string, passages: number) {
    const paragraphs = Array.from(
      { length: passages },
      (_, at) => `Passage zyzzyva${id}${at}x of the file. ${"word ".repeat(70)}.`,
    );
    return this.file(id, paragraphs.join("\n\n"));
  }

  /** One alarm, the time of whatever waits having come. */
  async ring(): Promise<boolean> {
    await this.timePasses();
    return runDurableObjectAlarm(this.stub);
  }

  /** Rings until everything is found in the index, and nothing is owed. */
  async settled(): Promise<void> {
    for (let rings = 0; rings < 60; rings += 1) {
      this.vectorize.settle();
      await this.ring();
      if ((await this.owed()) > 0) continue;
      this.vectorize.settle();
      return;
    }
    throw new Error("never settled");
  }

  /** Files that wait, and blocks that are on their way in or out. */
  async owed(): Promise<number> {
    return runInDurableObject(this.stub, (_instance, { storage }) => {
      const count = (query: string) => storage.sql.exec<{ n: number }>(query).one().n;
      const hasTable = (name: string) =>
        count(`SELECT count(*) AS n FROM sqlite_master WHERE name = '${name}'`) > 0;
      const files = count("SELECT count(*) AS n FROM file WHERE status = 'in_progress'");
      if (!hasTable("passage")) return files;
      const isLarge = count("SELECT count(*) AS n FROM passage") > this.control.bounds.from;
      if (!hasTable("outside_block")) return files + Number(isLarge);
      const moving = count(
        `SELECT count(*) AS n FROM outside_block b
         LEFT JOIN passage_vectors v ON v.first = b.first AND v.embedder = b.embedder
         WHERE b.seen IS NULL OR v.first IS NULL`,
      );
      const unsent = count(
        `SELECT count(*) AS n FROM passage_vectors WHERE dimensions = ${this.vectorize.dimensions}
           AND first NOT IN (SELECT first FROM outside_block)`,
      );
      return files + moving + (isLarge ? unsent : 0);
    });
  }

  timePasses(): Promise<void> {
    return runInDurableObject(this.stub, (_instance, { storage }) => {
      const tables = storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name IN ('file', 'outside_block')")
        .toArray()
        .map(({ name }) => name);
      if (tables.includes("file")) {
        storage.sql.exec("UPDATE file SET due_ms = 0");
        storage.sql.exec("UPDATE head SET erase_ms = 0 WHERE erase_ms IS NOT NULL");
      }
      if (tables.includes("outside_block")) {
        storage.sql.exec("UPDATE outside_block SET sent_ms = 0");
        storage.sql.exec("UPDATE outside_step SET again_ms = 0, described_ms = 0");
      }
    });
  }

  async search(query: string, more: object = {}): Promise<FoundPassages> {
    const search = {
      queries: [query],
      maxResults: 50,
      filters: null,
      scoreThreshold: 0,
      rerank: false,
      ...more,
    };
    const outcome = await this.stub.search({ ...this.message, search });
    if (outcome.result !== "ok") throw new Error(outcome.result);
    return outcome;
  }

  /** By a word that no passage has: what is found, vectors found, and of so few passages they find all. */
  async near(): Promise<string[]> {
    const { passages } = await this.search("qwertzuiop");
    return passages.map(({ fileId, ordinal }) => `${fileId}${ordinal}`).sort();
  }

  /** The same, the store's own vectors being hidden from it. */
  async nearOutside(): Promise<string[]> {
    const rename = (from: string, to: string) =>
      runInDurableObject(this.stub, (_instance, { storage }) => {
        storage.sql.exec("UPDATE passage_vectors SET embedder = ? WHERE embedder = ?", to, from);
      });
    const { embedderId } = this.control;
    await rename(embedderId, "hidden");
    const found = await this.near();
    await rename("hidden", embedderId);
    return found;
  }

  /** Stands still once in the next such call of the index. */
  async standsStillIn(call: string, when: "before" | "behind") {
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let isOpen = false;
    this.vectorize.pass = async (one, place) => {
      if (isOpen || one !== call || place !== when) return;
      isOpen = true;
      arrived.resolve();
      await go.promise;
    };
    await this.timePasses();
    const ringing = runDurableObjectAlarm(this.stub).catch((error: unknown) => error);
    await runInDurableObject(this.stub, () => arrived.promise);
    return { ringing, go };
  }
}
