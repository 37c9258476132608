/** `/admin/fleet`: the clusters as their pools see them, and what platform admins want of a replica. The rules are in src/shared/admin. */
import { changeFleet, showFleet } from "../../../src/shared/admin/fleet-changes.ts";
import { fleetChangeSchema } from "../../../src/shared/wire/fleet-admin.ts";
import type { AdminHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";
import { withBody } from "./admin.ts";

export const showAllClusters: AdminHandler = async ({ isolate, scope }) => {
  const fleet = await isolate.fleet.current(scope.background);
  if (!fleet.ok) return respondRefusal(scope, fleet.error);
  return respondJson(scope, await showFleet({ fleet: fleet.value, pools: isolate.pools }));
};

export const changeReplica: AdminHandler = (call) =>
  withBody(call, fleetChangeSchema, async (change, admin, { ledger }) => {
    const { isolate, scope } = call;
    const fleet = await isolate.fleet.current(scope.background);
    if (!fleet.ok) return fleet;
    return changeFleet(admin, change, { fleet: fleet.value, pools: isolate.pools, ledger });
  });
