/** How far is it? Great-circle distance by the haversine formula on a sphere of 6,371 km: within 0.5 % of the earth's. */
const earthRadiusKm = 6371;
const radians = Math.PI / 180;

export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Kilometres between two places along the surface. */
export function distanceKm(from: Coordinates, to: Coordinates): number {
  const latitudes = Math.sin(((to.latitude - from.latitude) * radians) / 2) ** 2;
  const longitudes = Math.sin(((to.longitude - from.longitude) * radians) / 2) ** 2;
  const chord = latitudes + Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * longitudes;
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, chord)));
}

/** A client's place, if Cloudflare gave it. */
export function coordinates({ latitude, longitude }: Partial<Coordinates>): Coordinates | null {
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}
