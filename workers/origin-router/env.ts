/** What workers/origin-router/wrangler.toml binds. Only index.ts sees it. */
export interface OriginRouterEnv {
  readonly ENVIRONMENT: "local" | "production";
  /** Fleet as JSON, in place of the one in KV. */
  readonly FLEET?: string;
  readonly CONFIG: KVNamespace;
}
