/** A vector store beyond what is compared, through the Worker as it ships: its own bounds, a tenant's setting, and the index behind a binding. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { lexicalEmbedder } from "../../src/shared/retrieval/lexical-embedder.ts";
import { outsideBounds } from "../../src/shared/retrieval/outside-bounds.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { mostPassages, outsideVectors } from "../../workers/edge/outside-vectors.ts";
import { putTenant } from "./edge-under-test.ts";
import { callerOf, processed, type Caller } from "./knowledge-fixture.ts";
import { boundVectorize } from "./vectors-entry.ts";
import { alarmsWait } from "./alarms-wait.ts";

alarmsWait();

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("indexed", { retrieval: { max_indexed_passages_per_store: 100_000 } });
  await putTenant("compared", {});
});

/** Of words alone: their vectors are near nothing. */
function fill(storage: DurableObjectStorage): void {
  const nothing = new Float32Array(lexicalEmbedder.dimensions);
  const passages = Array.from({ length: 2500 }, (_, at) => ({
    text: `w${at}`,
    start: at,
    end: at + 1,
    headings: [],
  }));
  const store = new PassageStore(storage);
  for (let filled = 0; filled <= outsideBounds.from; filled += passages.length)
    store.put({
      id: `fill-${filled}`,
      filename: "fill.txt",
      attributes: {},
      passages,
      vectors: passages.map(() => nothing),
      embedderId: lexicalEmbedder.id,
    });
}

async function filledStore(caller: Caller) {
  const file = await caller.upload("weevils.txt", "The secretword zyzzyva is a weevil.");
  const storeId = (await caller.ask("POST", "/v1/vector_stores", { file_ids: [file] })).body.id;
  await processed(caller, storeId);
  const stub = env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  await runInDurableObject(stub, (_instance, { storage }) => fill(storage));
  // Any change of the store sets its alarm.
  await caller.ask("POST", `/v1/vector_stores/${storeId}`, { name: "large" });
  return { storeId, file, stub };
}

async function near(caller: Caller, storeId: string): Promise<string[]> {
  const answer = await caller.ask("POST", `/v1/vector_stores/${storeId}/search`, { query: "zyzzyvo" });
  expect(answer.status).toBe(200);
  return (answer.body["data"] as { filename: string }[]).map(({ filename }) => filename);
}

test(
  "its vectors come into the index behind the binding, are found there, and go with their file",
  { timeout: 240_000 },
  async () => {
    const ann = await callerOf("indexed", "ann");
    const { storeId, file, stub } = await filledStore(ann);
    // Its own block is the first to go; the others are near nothing, and need not be waited for.
    for (let rings = 0, isSeen = false; !isSeen; rings += 1) {
      expect(rings).toBeLessThan(10);
      await runDurableObjectAlarm(stub);
      boundVectorize.settle();
      isSeen = await runInDurableObject(
        stub,
        (_instance, { storage }) =>
          storage.sql.exec("SELECT 1 FROM outside_block WHERE seen IS NOT NULL").toArray().length > 0,
      );
    }
    expect(boundVectorize.found.size).toBe(1);
    const asked = () => boundVectorize.calls.filter(({ call }) => call === "query").length;
    const before = asked();
    expect((await near(ann, storeId))[0]).toBe("weevils.txt");
    expect(asked()).toBe(before + 1);
    await ann.ask("DELETE", `/v1/files/${file}`);
    expect(await near(ann, storeId)).not.toContain("weevils.txt");
    await runInDurableObject(stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE outside_block SET sent_ms = 0");
    });
    for (let rings = 0; rings < 3; rings += 1) await runDurableObjectAlarm(stub);
    boundVectorize.settle();
    expect(boundVectorize.found.size).toBe(0);
  },
);

test(
  "of a tenant that did not ask for it nothing lies outside, however large its store",
  { timeout: 240_000 },
  async () => {
    const bea = await callerOf("compared", "bea");
    const { length } = boundVectorize.calls;
    const { storeId, stub } = await filledStore(bea);
    await runDurableObjectAlarm(stub);
    expect((await near(bea, storeId))[0]).toBe("weevils.txt");
    expect(boundVectorize.calls.length).toBe(length);
  },
);

test("a tenant's bound counts where an index is bound, and its jurisdiction is none", () => {
  const retrieval = { max_passages_per_store: 20_000, max_indexed_passages_per_store: 100_000 };
  type Tenant = Parameters<typeof mostPassages>[1];
  const tenant = (jurisdiction: "none" | "eu") => ({ retrieval, jurisdiction }) as Tenant;
  expect(mostPassages(env, tenant("none"))).toBe(100_000);
  expect(mostPassages(env, tenant("eu"))).toBe(20_000);
  expect(mostPassages({}, tenant("none"))).toBe(20_000);
  expect([
    outsideVectors(env)("none")?.bounds,
    outsideVectors(env)("eu"),
    outsideVectors({})("none"),
  ]).toEqual([outsideBounds, null, null]);
});

test.each([
  [
    { retrieval: { max_indexed_passages_per_store: 100_000 }, jurisdiction: "eu" },
    "retrieval.max_indexed_passages_per_store",
  ],
  [{ retrieval: { max_indexed_passages_per_store: 50_000 } }, "retrieval.max_indexed_passages_per_store"],
  [{ retrieval: { max_indexed_passages_per_store: 10_000_000 } }, "retrieval.max_indexed_passages_per_store"],
])("a setting that can't be is refused by its path: %j", async (settings, path) => {
  await expect(putTenant("wrong", settings)).rejects.toThrow(path);
});
