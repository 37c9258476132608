/** What a mount of the origin router provides: cheap to make, once per request; `state` and `poller` live as long as the isolate. */
import type { Background } from "../contracts/background.ts";
import type { Transport } from "./attempt.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import type { PoolLinks } from "./pool/pool-links.ts";
import type { Poller } from "./poller.ts";
import type { RouterState } from "./router-state.ts";

export interface OriginRouterDeps {
  readonly state: RouterState;
  readonly poller: Poller;
  /** Links to the pools of the clusters that have one; absent where the mount has no binding for them. */
  readonly pools?: PoolLinks | undefined;
  readonly fleet: FleetIndex;
  readonly transport: Transport;
  readonly background: Background;
  /** The caller has registered the request's whole work already: registering costs as much as the choice of a replica. */
  readonly callerRegisters: boolean;
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}
