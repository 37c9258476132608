/** The public Worker: its routes, and the classes of its objects. */
import { createBatchClass } from "../../durable-objects/batch/batch.ts";
import { createGenerationClass } from "../../durable-objects/generation/generation.ts";
import { createKnowledgeBaseClass } from "../../durable-objects/knowledge-base/knowledge-base.ts";
import { createOriginPoolClass } from "../../durable-objects/origin-pool/origin-pool.ts";
import { createSessionClass } from "../../durable-objects/session/session.ts";
import { sessionParts } from "./session-parts.ts";
import { batchParts } from "./batch-parts.ts";
import { createApp } from "./app.ts";
import { generationParts } from "./generation-parts.ts";
import { knowledgeParts } from "./knowledge-parts.ts";
import { originPoolParts } from "./origin-pool-parts.ts";

export { AuditLog } from "../../durable-objects/audit-log/audit-log.ts";
export { CompletionIndex } from "../../durable-objects/completion-index/completion-index.ts";
export { Conversation } from "../../durable-objects/conversation/conversation.ts";
export { ConversationIndex } from "../../durable-objects/conversation-index/conversation-index.ts";
export { Library } from "../../durable-objects/library/library.ts";
export { MetricsHub } from "../../durable-objects/metrics-hub/metrics-hub.ts";
export { NonceLedger } from "../../durable-objects/nonce-ledger/nonce-ledger.ts";
export { RegionalStockObject as RegionalStock } from "../../durable-objects/regional-stock/regional-stock.ts";
export { SemanticIndexObject as SemanticIndex } from "../../durable-objects/semantic-index/semantic-index.ts";
export { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";
export { UsageBook } from "../../durable-objects/usage-book/usage-book.ts";

export const Batch = createBatchClass(batchParts);
export const Session = createSessionClass(sessionParts);
export const Generation = createGenerationClass(generationParts);
export const KnowledgeBase = createKnowledgeBaseClass(knowledgeParts);
export const OriginPool = createOriginPoolClass(originPoolParts);

const app = createApp();

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Cloudflare.Env>;
