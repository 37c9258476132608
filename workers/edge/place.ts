/** Where is the client? As Cloudflare says (`request.cf`); nowhere in particular on a laptop. */
import type { ClientPlace } from "../../src/shared/routing/ports.ts";

const nowhere: ClientPlace = {};

export function placeOf(request: Request): ClientPlace {
  const { cf } = request;
  if (cf === undefined) return nowhere;
  const latitude = Number(cf.latitude);
  const longitude = Number(cf.longitude);
  return {
    ...(typeof cf.country === "string" ? { country: cf.country } : {}),
    ...(typeof cf.colo === "string" ? { colo: cf.colo } : {}),
    ...(cf.latitude !== undefined && Number.isFinite(latitude) && Number.isFinite(longitude)
      ? { latitude, longitude }
      : {}),
  };
}
