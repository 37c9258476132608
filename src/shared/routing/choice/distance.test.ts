import { expect, test } from "vitest";
import { distanceKm } from "./distance.ts";

test.each([
  ["Paris to London", 48.8566, 2.3522, 51.5074, -0.1278, 344],
  ["New York to Sydney", 40.7128, -74.006, -33.8688, 151.2093, 15_989],
  ["across the date line", 0, 179.5, 0, -179.5, 111],
  ["nowhere", 10, 20, 10, 20, 0],
  ["to the other side", 0, 0, 0, 180, 20_015],
] as const)("%s", (_sentence, latitude, longitude, toLatitude, toLongitude, expectedKm) => {
  const km = distanceKm({ latitude, longitude }, { latitude: toLatitude, longitude: toLongitude });
  expect(Math.round(km)).toBe(expectedKm);
});
