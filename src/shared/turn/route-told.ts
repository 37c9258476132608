/** How a turn was routed, for its log record, its metrics, and the header of callers who may know. */
import type { Principal } from "../identity/principal.ts";
import type { RouteReason } from "../routing/models/choose-route.ts";
import type { RequestRecord } from "../telemetry/request-record.ts";
import { platformAdmin, routeRead } from "../wire/scopes.ts";
import type { AdmittedTurn, OpenedTurn } from "./open-turn.ts";

export const routeHeader = "x-edgewise-route";

/** The fields of a record that say it; none where a model was asked for by its own id. */
type RouteFields = Pick<RequestRecord, "alias" | "arm" | "reason">;

/** @param model the model that answered */
export function routeFields(turn: Pick<AdmittedTurn, "asked" | "plan">, model: string): RouteFields {
  const alias = turn.asked.model;
  const [{ route, model: planned }] = turn.plan;
  if (route === null) {
    if (alias === model) return noFields;
    return { alias, reason: planned === model ? "first" : "fallback" };
  }
  const reason: RouteReason = route.model === model ? route.reason : "fallback";
  return route.arm === null ? { alias, reason } : { alias, arm: route.arm, reason };
}

const noFields: RouteFields = {};

/** Cluster and replica names are shown only to the platform's admins and to holders of the scope. */
export function mayReadRoute({ scopes }: Pick<Principal, "scopes">): boolean {
  return scopes.size > 0 && (scopes.has(routeRead) || scopes.has(platformAdmin));
}

/** The header's value: a dictionary of RFC 9651. Absent members are not known or don't apply. */
export function routeHeaderValue(turn: OpenedTurn): string {
  const model = turn.kind === "live" ? turn.candidate.model : turn.cached.model;
  const { alias, arm, reason } = routeFields(turn, model);
  const target = turn.kind === "live" ? `${turn.answer.cluster}/${turn.answer.replica}` : undefined;
  // Ids and names of the fleet file hold no quote and no backslash (alias-config.ts).
  return Object.entries({ alias, model, target, arm, reason })
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}="${value}"`]))
    .join(", ");
}

/** Headers that a turn keeps, as this caller may see them: a turn can be read by another credential of its user. */
export function headersFor(
  headers: Record<string, string>,
  principal: Pick<Principal, "scopes">,
): Record<string, string> {
  if (headers[routeHeader] === undefined || mayReadRoute(principal)) return headers;
  const { [routeHeader]: _hidden, ...rest } = headers;
  return rest;
}
