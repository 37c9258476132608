/** `GET /v1/models` and `/v1/models/{id}`: what this tenant may ask for. A model that it may not use does not exist for it. */
import { listModels } from "../../../src/shared/routing/resolve-model.ts";
import type { ListedModel } from "../../../src/shared/routing/fleet-index.ts";
import { mayUse } from "../../../src/shared/turn/plan.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import type { TenantHandler } from "../handle.ts";

export const listAllModels: TenantHandler = async ({ scope, tenant, isolate }) => {
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const data = listModels(fleet.value).filter((model) => mayUse(tenant, model.id));
  return respondJson(scope, { object: "list", data: data.map(modelObject) });
};

export const showModel: TenantHandler = async ({ c, scope, tenant, isolate }) => {
  const id = decodeURIComponent(c.req.path.slice("/v1/models/".length));
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  const model = listModels(fleet.value).find((listed) => listed.id === id);
  if (model === undefined || !mayUse(tenant, id))
    return respondRefusal(scope, { kind: "model-unknown", model: id });
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
