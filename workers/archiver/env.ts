import type { MetricsHub } from "../../durable-objects/metrics-hub/metrics-hub.ts";

/** What workers/archiver/wrangler.toml binds. Only index.ts sees it. */
export interface ArchiverEnv {
  /** PostgreSQL, its connections pooled near it. */
  readonly HYPERDRIVE: Hyperdrive;
  /** The edge Worker's, for what `/metrics` says of the archive. */
  readonly METRICS_HUB: DurableObjectNamespace<MetricsHub>;
  /** Content over 100 KB. */
  readonly ARCHIVE_OBJECTS?: R2Bucket;
}
