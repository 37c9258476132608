/** The client's place and connection, as Cloudflare gives them (`request.cf`); nothing on a laptop. */
import type { ClientFacts } from "../../src/shared/firewall/access-rules.ts";
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

/** The facts that firewall rules may test. */
export function factsOf(request: Request): ClientFacts {
  const ip = request.headers.get("cf-connecting-ip");
  const { cf } = request;
  const score = (cf?.botManagement as { score?: unknown } | undefined)?.score;
  return {
    ...(ip === null ? {} : { ip }),
    ...(typeof cf?.country === "string" ? { country: cf.country } : {}),
    ...(typeof cf?.asn === "number" ? { asn: cf.asn } : {}),
    ...(typeof score === "number" ? { botScore: score } : {}),
    ...(typeof cf?.tlsVersion === "string" ? { tlsVersion: cf.tlsVersion } : {}),
  };
}
