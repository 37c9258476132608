import { expect, test } from "vitest";
import document from "../../config/fleet.dev.json" with { type: "json" };
import { createFleetSource } from "../../src/shared/routing/fleet/fleet-source.ts";
import { getDocument } from "./document-command.ts";
import { checkFleet, fleetDocument, putFleet, summary, usualModel } from "./fleet-command.ts";
import { memoryStore } from "./memory-store-fixture.ts";

test("what put writes is what the Worker reads, with a version that changes with every edit and only then", async () => {
  const store = memoryStore();
  const first = await putFleet(store, JSON.stringify(document));
  const { version: _, ...unversioned } = document;
  const same = await putFleet(store, JSON.stringify(unversioned));
  expect(same.version).toBe(first.version);
  const edited = await putFleet(
    store,
    JSON.stringify({ ...document, aliases: { auto: { strategy: "fixed", model: "qwen3-reason" } } }),
  );
  expect(edited.version).not.toBe(first.version);
  const source = createFleetSource({
    variable: undefined,
    store,
    bundled: null,
    now: () => 0,
    report: (...fault) => {
      throw new Error(fault.join(" "));
    },
  });
  expect(await source.current({ run: () => undefined })).toMatchObject({
    ok: true,
    value: { version: edited.version },
  });
  expect(JSON.parse(await getDocument(fleetDocument, store))).toMatchObject({ version: edited.version });
});

test("a model is in the fleet since the document that first had it; what a document says itself goes before", async () => {
  const store = memoryStore();
  const [cluster] = document.clusters;
  const models = (cluster?.models ?? []).map((model) => ({ ...model, created: undefined }));
  const written = (...ids: string[]) =>
    JSON.stringify({
      clusters: [{ ...cluster, models: models.filter(({ id }) => ids.includes(id)) }],
    });
  const since = async (text: string, nowMs: number) =>
    (await putFleet(store, text, nowMs)).clusters[0]?.models.map(({ id, created }) => [id, created]);
  expect(await since(written("llama-3.1-8b"), 5_000)).toEqual([["llama-3.1-8b", 5]]);
  expect(await since(written("llama-3.1-8b", "qwen3-reason"), 9_999)).toEqual([
    ["llama-3.1-8b", 5],
    ["qwen3-reason", 9],
  ]);
  const [stated] = (await since(JSON.stringify(document), 20_000)) ?? [];
  expect(stated).toEqual(["llama-3.1-8b", cluster?.models[0]?.created]);
  store.entries.set("fleet", "{");
  expect(await since(written("llama-3.1-8b"), 30_000)).toEqual([["llama-3.1-8b", 30]]);
});

test("a wrong document is refused with the field's path, and the good one stays", async () => {
  const store = memoryStore();
  await putFleet(store, JSON.stringify(document));
  const before = store.entries.get("fleet");
  const wrong = { ...document, aliases: { auto: { models: ["nobody"] } } };
  await expect(putFleet(store, JSON.stringify(wrong))).rejects.toThrow("aliases.auto.models[0]");
  await expect(putFleet(store, "{")).rejects.toThrow("is not JSON");
  expect(store.entries.get("fleet")).toBe(before);
});

test("the summary says what a document amounts to", () => {
  const lines = summary(checkFleet(JSON.stringify(document))).split("\n");
  expect(lines[1]).toBe(
    "  us-east (us-east, vllm): 2 replicas, llama-3.1-8b, llama-3.1-8b-raw, qwen3-reason, llama-guard-3-8b, bge-small, bge-reranker",
  );
  expect(lines.slice(-2)).toEqual(["  auto: fallback", "  guard: fallback"]);
});

test("a fleet without an alias 'auto' is taken, and whoever puts, checks or starts it is told what that means", async () => {
  const said = fleetDocument.check(JSON.stringify({ ...document, aliases: {} })).split("\n");
  expect(said.at(-1)).toMatch(/^no alias 'auto': .*404 model_not_found/);
  expect(await fleetDocument.put(memoryStore(), JSON.stringify({ ...document, aliases: {} }))).toMatch(
    /no alias 'auto'/,
  );
  expect(usualModel(checkFleet(JSON.stringify(document)))).toBe("auto");
  expect(usualModel(checkFleet(JSON.stringify({ ...document, aliases: {} })))).toBe("llama-3.1-8b");
  const named = { ...document, aliases: { best: { models: ["qwen3-reason"] } } };
  expect(usualModel(checkFleet(JSON.stringify(named)))).toBe("best");
});
