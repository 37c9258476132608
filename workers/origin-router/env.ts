import type { PoolNamespace } from "../../durable-objects/origin-pool/pool-port.ts";

/** What workers/origin-router/wrangler.toml binds. Only index.ts sees it. */
export interface OriginRouterEnv {
  readonly ENVIRONMENT: "local" | "production";
  /** Fleet as JSON, in place of the one in KV. */
  readonly FLEET?: string;
  /** Signs what goes to an origin (src/shared/signing/origin-signing.ts). */
  readonly ORIGIN_SIGNING_KEY?: string;
  /** Workers AI, where a cluster of the fleet has its engine; in production alone. */
  readonly AI?: Ai;
  readonly CONFIG: KVNamespace;
  /** The clusters' pools. Absent in tests that have none: clusters are then routed to without. */
  readonly ORIGIN_POOL?: PoolNamespace;
}
