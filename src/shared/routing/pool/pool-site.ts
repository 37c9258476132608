/**
 * On which continent should a cluster's pool live? On the cluster's own: it polls each replica every second, two round trips each and six
 * replicas at once, so from another continent a sweep of a hundred replicas would take longer than its time budget. Without a location hint
 * an object lives near whichever client first called it. Read once, when the object is made.
 */
import type { Cluster } from "../fleet/fleet-config.ts";
import { distanceKm, type Coordinates } from "../choice/distance.ts";

export type PoolSite = Pick<Cluster, "id" | "latitude" | "longitude">;

/** Cloudflare's hints (https://developers.cloudflare.com/durable-objects/reference/data-location/), by places in their midst. */
const regions = [
  { hint: "wnam", latitude: 38, longitude: -120 },
  { hint: "enam", latitude: 40, longitude: -80 },
  { hint: "sam", latitude: -20, longitude: -50 },
  { hint: "weur", latitude: 50, longitude: 3 },
  { hint: "eeur", latitude: 50, longitude: 22 },
  { hint: "me", latitude: 27, longitude: 48 },
  { hint: "afr", latitude: -5, longitude: 25 },
  { hint: "apac", latitude: 15, longitude: 78 },
  { hint: "apac", latitude: 3, longitude: 105 },
  { hint: "apac", latitude: 35, longitude: 135 },
  { hint: "oc", latitude: -33, longitude: 148 },
] as const;

export type PoolRegion = (typeof regions)[number]["hint"];

/** Null: the fleet file does not say where the cluster is (0, 0 is its default, and in the sea). */
export function poolRegion({ latitude, longitude }: Coordinates): PoolRegion | null {
  if (latitude === 0 && longitude === 0) return null;
  const place = { latitude, longitude };
  let nearest: (typeof regions)[number] = regions[0];
  for (const region of regions) if (distanceKm(place, region) < distanceKm(place, nearest)) nearest = region;
  return nearest.hint;
}
