import * as fc from "fast-check";
import { expect, test } from "vitest";
import { regionOf } from "./region.ts";

test.each([
  ["San Francisco", 37.8, -122.4, "wnam"],
  ["Chicago", 41.9, -87.6, "enam"],
  ["São Paulo", -23.5, -46.6, "sam"],
  ["London", 51.5, -0.1, "weur"],
  ["Warsaw", 52.2, 21, "eeur"],
  ["Dubai", 25.2, 55.3, "me"],
  ["Nairobi", -1.3, 36.8, "afr"],
  ["Mumbai", 19.1, 72.9, "apac"],
  ["Tokyo", 35.7, 139.7, "apac-ne"],
  ["Singapore", 1.4, 103.8, "apac-se"],
  ["Sydney", -33.9, 151.2, "oc"],
  // Across the date line.
  ["Suva", -18.1, 178.4, "oc"],
  ["Honolulu", 21.3, -157.9, "wnam"],
] as const)("%s draws in its own region", (_city, latitude, longitude, region) => {
  expect(regionOf({ latitude, longitude })).toBe(region);
});

test("every place on earth has a region; an unknown one has none", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -90, max: 90, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      (latitude, longitude) => {
        expect(regionOf({ latitude, longitude })).not.toBeNull();
      },
    ),
  );
  expect(regionOf({})).toBeNull();
  expect(regionOf({ latitude: 1 })).toBeNull();
});
