/**
 * Does a turn that was offered tools of the server's own keep them? Not where the model that was asked for can call none, and its client
 * asked for none: that tenant has tools is no reason to refuse what was answered before. Pure.
 */
import { permittedCandidates } from "../routing/models/residency.ts";
import type { FleetIndex } from "../routing/fleet/fleet-index.ts";
import { resolveAmong } from "../routing/models/resolve-model.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { OfferedTools } from "../tools/offered-tools.ts";
import type { ChatRequest } from "../wire/chat-request.ts";

export function keepsTools(
  fleet: FleetIndex,
  tenant: TenantConfig,
  { model, tools = [] }: Pick<ChatRequest, "model" | "tools">,
  { names, webSearch }: OfferedTools,
): boolean {
  // The client wants a model that calls tools: it is refused where there is none.
  if (webSearch !== undefined || tools.length > names.length) return true;
  // An alias that chooses leaves out models that can't call tools.
  if (fleet.routes.has(model)) return true;
  const known = permittedCandidates(fleet.names.get(model) ?? [], tenant);
  return resolveAmong(known, { capabilities: ["chat", "tools"] }).kind !== "incapable";
}
