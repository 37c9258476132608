/** `GET /v1/models` and `/v1/models/{id}`: what this tenant may ask for. A model that it may not use does not exist for it. */
import type { ListedModel } from "../../../src/shared/routing/fleet/fleet-index.ts";
import { modelsFor } from "../../../src/shared/turn/list-models.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import type { TenantHandler } from "../handle.ts";

export const listAllModels: TenantHandler = async ({ scope, tenant, isolate }) => {
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  return respondJson(scope, { object: "list", data: modelsFor(fleet.value, tenant).map(modelObject) });
};

export const showModel: TenantHandler = async ({ c, scope, tenant, isolate }) => {
  const id = decodeURIComponent(c.req.path.slice("/v1/models/".length));
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const model = modelsFor(fleet.value, tenant).find((listed) => listed.id === id);
  if (model === undefined) return respondRefusal(scope, { kind: "model-unknown", model: id });
  return respondJson(scope, modelObject(model));
};

/** OpenAI's model object; what it has no field for (window, capabilities) stands beside. */
function modelObject(model: ListedModel): Record<string, unknown> {
  return {
    id: model.id,
    object: "model",
    created: model.created,
    owned_by: "edgewise",
    context_window: model.contextWindow,
    capabilities: model.capabilities,
    ...(model.kind === "alias" ? { models: model.models } : {}),
  };
}
