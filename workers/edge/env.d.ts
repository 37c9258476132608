declare namespace Cloudflare {
  /** What wrangler.toml binds. Only composition roots (workers/, the shells of durable-objects/) see it. */
  interface Env {
    ENVIRONMENT: "local" | "production";
    ROUTER: "in-process" | "service";
    /** Fleet as JSON, in place of the one in KV: set by `npm start`, `npm run serve` and FLEET=path. */
    FLEET?: string;
    /** HS256 secret of the demo tenant, made by dev/setup.ts; refused in production. */
    DEMO_JWT_SECRET?: string;
    /** HS256 secret of the platform's own issuer; unused beside PLATFORM_JWKS_URL. */
    PLATFORM_JWT_SECRET?: string;
    /** The platform's own issuer (src/shared/identity/platform-issuer.ts). */
    PLATFORM_ISSUER?: string;
    PLATFORM_AUDIENCE?: string;
    PLATFORM_JWKS_URL?: string;
    PLATFORM_ALGORITHMS?: string;
    /** Keys HMACs that name objects and tag response ids. */
    EDGEWISE_SECRET?: string;
    /** Signs what goes to an origin (src/shared/signing/origin-signing.ts). */
    ORIGIN_SIGNING_KEY?: string;
    /** Workers AI, where a cluster of the fleet has its engine; in production alone. */
    AI?: Ai;
    NONCE_LEDGER: DurableObjectNamespace<
      import("../../durable-objects/nonce-ledger/nonce-ledger.ts").NonceLedger
    >;
    CONFIG: KVNamespace;
    ANSWERS: KVNamespace;
    TOKEN_BUCKET: DurableObjectNamespace<
      import("../../durable-objects/token-bucket/token-bucket.ts").TokenBucket
    >;
    REGIONAL_STOCK: DurableObjectNamespace<
      import("../../durable-objects/regional-stock/regional-stock.ts").RegionalStockObject
    >;
    CONVERSATION: DurableObjectNamespace<
      import("../../durable-objects/conversation/conversation.ts").Conversation
    >;
    CONVERSATION_INDEX: DurableObjectNamespace<
      import("../../durable-objects/conversation-index/conversation-index.ts").ConversationIndex
    >;
    COMPLETION_INDEX: DurableObjectNamespace<
      import("../../durable-objects/completion-index/completion-index.ts").CompletionIndex
    >;
    USAGE_BOOK: DurableObjectNamespace<import("../../durable-objects/usage-book/usage-book.ts").UsageBook>;
    SEMANTIC_INDEX: DurableObjectNamespace<
      import("../../durable-objects/semantic-index/semantic-index.ts").SemanticIndexObject
    >;
    GENERATION: DurableObjectNamespace<
      import("../../durable-objects/generation/generation.ts").GenerationObject
    >;
    SESSION: DurableObjectNamespace<import("../../durable-objects/session/session.ts").SessionObject>;
    METRICS_HUB: DurableObjectNamespace<
      import("../../durable-objects/metrics-hub/metrics-hub.ts").MetricsHub
    >;
    /** Metrics for the long run (docs/metrics.md); in production alone. Absent: Prometheus keeps what it scrapes. */
    ANALYTICS?: AnalyticsEngineDataset;
    LIBRARY: DurableObjectNamespace<import("../../durable-objects/library/library.ts").Library>;
    KNOWLEDGE_BASE: DurableObjectNamespace<
      import("../../durable-objects/knowledge-base/knowledge-methods.ts").KnowledgeBaseObject
    >;
    BATCH: DurableObjectNamespace<import("../../durable-objects/batch/batch.ts").BatchObject>;
    /** Bytes of uploaded files. Absent: they lie in the Library objects. */
    FILES?: R2Bucket;
    /** The same of tenants of jurisdiction `eu`. */
    FILES_EU?: R2Bucket;
    /** Takes documents apart (workers/document-reader). Absent: PDF and Office files can't be searched. */
    DOCUMENT_READER?: Fetcher;
    /** Vectors of large stores (workers/edge/outside-vectors.ts); in production alone. Absent: each store's object compares its own. */
    VECTORS?: Vectorize;
    /** Shared counters of a location, by address: blocks of ten requests, and wrong credentials. */
    ADDRESS_REQUESTS?: RateLimit;
    ADDRESS_FAILURES?: RateLimit;
    AUDIT_LOG: DurableObjectNamespace<import("../../durable-objects/audit-log/audit-log.ts").AuditLog>;
    /** In use where the router runs in this Worker; behind a service binding the router Worker has its own. */
    ORIGIN_POOL: DurableObjectNamespace<
      import("../../durable-objects/origin-pool/origin-pool.ts").OriginPoolObject
    >;
    ORIGIN_ROUTER?: Fetcher;
    /** Absent: "off". */
    ARCHIVE?: "off" | "on";
    /** Turns and erasures for PostgreSQL (workers/archiver). Absent: there is no archive. */
    ARCHIVE_QUEUE?: Queue;
    /** What is too long for a queue. Absent: it is left out of the archive. */
    ARCHIVE_OBJECTS?: R2Bucket;
    /** The built pages; absent where there are none (tests, `npm run serve`). */
    ASSETS?: Fetcher;
    PLATFORM_ISSUER?: string;
    PLATFORM_AUDIENCE?: string;
    PLATFORM_JWKS_URL?: string;
    PLATFORM_ALGORITHMS?: string;
  }
}
