/**
 * In which of Cloudflare's regions is a client, and so the isolate that it reached? The regions are those that a Durable
 * Object can be asked to live in; each is taken for a place in its middle, and the nearest one is meant. Pure.
 */
import { type Coordinates, distanceKm } from "../../routing/choice/distance.ts";

const middles = {
  wnam: { latitude: 38, longitude: -120 },
  enam: { latitude: 39, longitude: -80 },
  sam: { latitude: -20, longitude: -52 },
  weur: { latitude: 49, longitude: 3 },
  eeur: { latitude: 50, longitude: 24 },
  me: { latitude: 26, longitude: 48 },
  afr: { latitude: -5, longitude: 22 },
  apac: { latitude: 21, longitude: 79 },
  "apac-ne": { latitude: 36, longitude: 132 },
  "apac-se": { latitude: 3, longitude: 106 },
  oc: { latitude: -32, longitude: 150 },
} as const satisfies Record<string, Coordinates>;

/** A Durable Object's location hint. */
export type Region = keyof typeof middles;
const regions = Object.keys(middles) as Region[];

/** What Cloudflare tells of a client; nothing on a laptop. */
export interface Place {
  readonly latitude?: number;
  readonly longitude?: number;
}

/** `null`: the client's place is unknown. */
export function regionOf({ latitude, longitude }: Place): Region | null {
  if (latitude === undefined || longitude === undefined) return null;
  let nearest: Region | null = null;
  let nearestKm = Infinity;
  for (const region of regions) {
    const km = distanceKm({ latitude, longitude }, middles[region]);
    if (km < nearestKm) [nearest, nearestKm] = [region, km];
  }
  return nearest;
}
