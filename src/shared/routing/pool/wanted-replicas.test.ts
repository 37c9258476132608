import { expect, test } from "vitest";
import { saturation, wantedReplicas, type ScalingFacts } from "./wanted-replicas.ts";

function facts(change: Partial<ScalingFacts>): ScalingFacts {
  return { replicas: 4, places: 256, there: 0, queued: 0, placesOfOne: 64, ...change };
}

test.each([
  ["nothing to do", {}, 1],
  ["three quarters of all places", { there: 192 }, 4],
  ["one request more than that", { there: 193 }, 5],
  ["full, and as many again in the queue", { there: 256, queued: 256 }, 11],
  ["a flood: three times as many, and then look again", { there: 256, queued: 100_000 }, 12],
  ["every replica is gone, and requests wait", { replicas: 0, places: 0, queued: 100 }, 3],
  ["no replica, no request", { replicas: 0, places: 0 }, 1],
  ["a starting replica counts with the places that it has", { replicas: 2, places: 65, there: 65 }, 3],
] as const)("%s", (_sentence, change, expected) => {
  expect(wantedReplicas(facts(change))).toBe(expected);
});

test("saturation is what there is to do over places, the queue included", () => {
  expect(saturation(facts({ there: 128 }))).toBe(0.5);
  expect(saturation(facts({ there: 256, queued: 64 }))).toBe(1.25);
  expect(saturation(facts({ replicas: 0, places: 0, queued: 7 }))).toBe(7);
});
