import * as fc from "fast-check";
import { expect, test } from "vitest";
import { capabilitySchema, fleetSchema } from "./fleet-config.ts";
import { buildFleetIndex, modelRecord } from "./fleet-index.ts";
import { listModels, resolveAmong } from "../models/resolve-model.ts";

const replicas = [{ id: "r", url: "http://127.0.0.1:1" }];
const index = buildFleetIndex(
  fleetSchema.parse({
    version: "7",
    clusters: [
      {
        id: "us",
        region: "us",
        replicas,
        models: [
          { id: "small", served_name: "S", context_window: 8192, capabilities: ["chat", "tools"] },
          { id: "big", served_name: "B", context_window: 32_768, capabilities: ["chat", "vision"] },
        ],
      },
      {
        id: "eu",
        region: "eu",
        replicas,
        models: [
          {
            id: "small",
            served_name: "S",
            context_window: 8192,
            capabilities: ["tools", "chat"],
            created: 1_700_000_000,
            price: { output: 9 },
          },
        ],
      },
      {
        id: "asia",
        region: "asia",
        replicas,
        models: [
          {
            id: "small",
            served_name: "S",
            context_window: 8192,
            weights: "fp8",
            capabilities: ["chat"],
            created: 1_600_000_000,
          },
          { id: "embed", served_name: "E", context_window: 512, capabilities: ["embeddings"] },
        ],
      },
    ],
    aliases: { auto: { models: ["small", "big"] } },
  }),
);

test("clusters share a variant only where one body does for both", () => {
  const resolution = resolveAmong(index.names.get("small") ?? [], { capabilities: ["chat"] });
  if (resolution.kind !== "resolved") throw new Error(resolution.kind);
  expect(resolution.candidates[0]?.variants.map((variant) => variant.clusters)).toEqual([
    ["us", "eu"],
    ["asia"],
  ]);
});

test("a price of its own does not part a cluster from its variant, and is found by cluster", () => {
  expect(modelRecord(index, "eu", "small")?.price.output).toBe(9);
  expect(modelRecord(index, "us", "small")?.price.output).toBe(0);
  expect(modelRecord(index, "eu", "big")).toBeNull();
});

test("an alias gives its models in order", () => {
  const resolution = resolveAmong(index.names.get("auto") ?? [], { capabilities: ["chat"] });
  if (resolution.kind !== "resolved") throw new Error(resolution.kind);
  expect(resolution.candidates.map((candidate) => candidate.id)).toEqual(["small", "big"]);
});

test.each([
  ["tools leave out variants without them", "auto", ["tools"], 0, ["us", "eu"]],
  ["images go to the model that sees", "auto", ["vision"], 0, ["us"]],
  ["a long prompt goes to the wider window", "auto", ["chat"], 9000, ["us"]],
] as const)("%s", (_sentence, name, capabilities, windowTokens, clusters) => {
  const resolution = resolveAmong(index.names.get(name) ?? [], { capabilities, windowTokens });
  if (resolution.kind !== "resolved") throw new Error(resolution.kind);
  expect(resolution.candidates).toHaveLength(1);
  expect(resolution.candidates[0]?.variants.flatMap((variant) => variant.clusters)).toEqual(clusters);
});

test.each([
  ["nobody", { capabilities: [] }, { kind: "unknown" }],
  ["__proto__", { capabilities: [] }, { kind: "unknown" }],
  ["embed", { capabilities: ["chat"] }, { kind: "incapable", capability: "chat" }],
  ["auto", { capabilities: ["tools", "vision"] }, { kind: "incapable", capability: "tools" }],
  [
    "auto",
    { capabilities: ["chat"], windowTokens: 99_999 },
    { kind: "window-too-small", windowTokens: 32_768 },
  ],
] as const)("%s is refused with the reason", (name, needs, expected) => {
  expect(resolveAmong(index.names.get(name) ?? [], needs)).toEqual(expected);
});

test("a model is as old as at the cluster that had it first, an alias as its first model; what nobody says is 0", () => {
  expect(listModels(index).map(({ id, created }) => [id, created])).toEqual([
    ["auto", 1_600_000_000],
    ["small", 1_600_000_000],
    ["big", 0],
    ["embed", 0],
  ]);
});

test("every listed name resolves, each once", () => {
  const names = listModels(index).map((model) => model.id);
  expect(names).toEqual(["auto", "small", "big", "embed"]);
  for (const name of names)
    expect(resolveAmong(index.names.get(name) ?? [], { capabilities: [] }).kind).toBe("resolved");
});

test("what is resolved always has what was needed", () => {
  const need = fc.record({
    capabilities: fc.subarray([...capabilitySchema.options]),
    windowTokens: fc.integer({ min: 0, max: 40_000 }),
  });
  fc.assert(
    fc.property(fc.constantFrom("auto", "small", "big", "embed"), need, (name, needs) => {
      const resolution = resolveAmong(index.names.get(name) ?? [], needs);
      if (resolution.kind !== "resolved") return;
      for (const { record } of resolution.candidates.flatMap((candidate) => candidate.variants)) {
        expect(record.context_window).toBeGreaterThanOrEqual(needs.windowTokens);
        for (const capability of needs.capabilities) expect(record.capabilities).toContain(capability);
      }
    }),
  );
});
