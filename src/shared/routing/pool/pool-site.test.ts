import { expect, test } from "vitest";
import { poolRegion } from "./pool-site.ts";

test.each([
  ["Ashburn", 39.04, -77.49, "enam"],
  ["Dallas", 32.78, -96.8, "enam"],
  ["The Dalles", 45.6, -121.18, "wnam"],
  ["São Paulo", -23.55, -46.63, "sam"],
  ["Dublin", 53.35, -6.26, "weur"],
  ["Frankfurt", 50.11, 8.68, "weur"],
  ["Warsaw", 52.23, 21.01, "eeur"],
  ["Dubai", 25.2, 55.27, "me"],
  ["Johannesburg", -26.2, 28.05, "afr"],
  ["Mumbai", 19.08, 72.88, "apac"],
  ["Singapore", 1.35, 103.82, "apac"],
  ["Tokyo", 35.68, 139.69, "apac"],
  ["Sydney", -33.87, 151.21, "oc"],
] as const)("the pool of a cluster in %s lives on its continent", (_city, latitude, longitude, region) => {
  expect(poolRegion({ latitude, longitude })).toBe(region);
});

test("a cluster that does not say where it is gets its pool where it is first asked for", () => {
  expect(poolRegion({ latitude: 0, longitude: 0 })).toBeNull();
});
