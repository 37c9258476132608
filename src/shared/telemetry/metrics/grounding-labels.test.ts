import { expect, test } from "vitest";
import { type Grounding, groundingTold, shownOf } from "../../grounding/ground.ts";
import type { FoundPassage } from "../../retrieval/passage.ts";
import { groundingResult } from "./grounding-labels.ts";
import { countRecord } from "./count-record.ts";
import { exposition } from "./exposition.ts";
import { MetricSums } from "./metric-sums.ts";
import { isolateBounds } from "./metric-series.ts";
import { parseExposition } from "./parse-exposition-fixture.ts";
import { requestRecord } from "./request-record-fixture.ts";

const passage: FoundPassage = {
  fileId: "f",
  filename: "a.md",
  attributes: {},
  ordinal: 0,
  text: "a",
  start: 0,
  end: 1,
  score: 1,
};
const found: Grounding = { queries: ["q"], passages: [passage, passage], fault: null };
const nothing: Grounding = { ...found, passages: [] };

test.each([
  ["grounded", found],
  ["grounded", shownOf(found, 1)],
  ["grounded", { ...found, withheld: 1 }],
  ["nothing", nothing],
  ["no_room", shownOf(found, 0)],
  ["withheld", { ...nothing, withheld: 2 }],
  ["late", { ...found, fault: "late" }],
  ["unreachable", { ...nothing, fault: "unreachable" }],
  ["unknown", { ...nothing, fault: "unknown" }],
] as const)("%s", (result, grounding) => {
  expect(groundingResult(groundingTold(grounding))).toBe(result);
});

test("an answer counts once, and one without grounding not at all", () => {
  const sums = new MetricSums(isolateBounds);
  countRecord(sums, requestRecord({ grounded: groundingTold(found) }));
  countRecord(sums, requestRecord());
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  expect(parsed.sum("edgewise_grounding_total")).toBe(1);
  expect(parsed.sum("edgewise_grounding_total", { result: "grounded" })).toBe(1);
});
