/**
 * The module behind both mounts of the router (docs/decisions/0002-router-two-mounts.md): which replica answers, and what happens when
 * it fails? filter ▸ score ▸ pick (choose.ts) ▸ attempt (ask-replica.ts) ▸ next candidate (dispatch.ts).
 */
import { Dispatch } from "./dispatch.ts";
import { dispatchShadow } from "./dispatch-shadow.ts";
import type { Origin } from "./ports.ts";
import { probe } from "./probe.ts";
import type { OriginRouterDeps } from "./router-deps.ts";

export function createOriginRouter(deps: OriginRouterDeps): Origin {
  return {
    dispatch(request, signal) {
      const dispatched =
        request.shadow === true
          ? dispatchShadow(deps, request, signal)
          : new Dispatch(deps, request, signal).run();
      // A client that resets takes the request's own work down with it, unless that is registered: leases would never return.
      if (!deps.callerRegisters) deps.background.run("dispatch", dispatched);
      return dispatched;
    },
    probe: (name) => probe(name, deps),
  };
}
