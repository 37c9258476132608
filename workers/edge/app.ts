/** Which route does what? Every public path of Edgewise, in one list (src/shared/wire/routes.ts documents the same). */
import { HonoBase as Hono } from "hono/hono-base";
import { anyAdmin, platformAdminOnly } from "../../src/shared/wire/scopes.ts";
import { addKnowledgeRoutes } from "./knowledge-app.ts";
import { adminRoute, aliveRoute, platformRoute, publicRoute, tenantRoute } from "./handle.ts";
import { PlainPathRouter } from "./plain-path-router.ts";
import {
  createApiKey,
  createRevocation,
  deleteOneTenant,
  eraseAllHistory,
  eraseAllKnowledge,
  eraseSemanticCache,
  listAllTenants,
  listApiKeys,
  putOneTenant,
  revokeApiKey,
  restoreApiKeys,
  rotateApiKey,
  showApiKey,
  showAudit,
  showOneTenant,
} from "./routes/admin.ts";
import { changeReplica, showAllClusters } from "./routes/admin-fleet.ts";
import { showLimits } from "./routes/admin-limits.ts";
import { showTenantUsage } from "./routes/admin-usage.ts";
import { createChatCompletion } from "./routes/chat-completions.ts";
import { exportConversation, listConversationBranches } from "./routes/conversation-branches.ts";
import {
  addConversationItems,
  deleteConversationItem,
  listConversationItems,
  showConversationItem,
} from "./routes/conversation-items.ts";
import { listConversationDeletions, listConversations } from "./routes/conversation-list.ts";
import { watchConversation } from "./routes/conversation-watch.ts";
import {
  createConversation,
  deleteConversation,
  showConversation,
  updateConversation,
} from "./routes/conversations.ts";
import { listCompletionMessages, listStoredCompletions } from "./routes/completion-list.ts";
import { createCompletion } from "./routes/completions.ts";
import { createEmbeddings } from "./routes/embeddings.ts";
import { offersDemo, startDemo } from "./routes/demo.ts";
import { health, ready } from "./routes/health.ts";
import { showMetrics } from "./routes/metrics.ts";
import { listAllModels, showModel } from "./routes/models.ts";
import { createModeration } from "./routes/moderations.ts";
import { answerPreflight } from "./routes/preflight.ts";
import { showReceipt, showReceiptKeys } from "./routes/receipts.ts";
import { openApiDocument, referencePage } from "./routes/reference.ts";
import { countInputTokens } from "./routes/input-tokens.ts";
import { openResponseSocket } from "./routes/response-socket.ts";
import { createResponseOverHttp } from "./routes/responses.ts";
import { cancelResponse, deleteResponse, listInputItems, showResponse } from "./routes/stored-responses.ts";
import {
  cancelCompletion,
  deleteCompletion,
  showCompletion,
  updateCompletion,
} from "./routes/stored-completions.ts";
import { cancelBatch, createBatch, listBatches, showBatch } from "./routes/batches.ts";
import { showUsage } from "./routes/usage.ts";
import { unknownRoute } from "./routes/unknown.ts";

export function createApp(): Hono<{ Bindings: Cloudflare.Env }> {
  const app = new Hono<{ Bindings: Cloudflare.Env }>({ router: new PlainPathRouter() });
  app.post("/v1/chat/completions", tenantRoute("/v1/chat/completions", createChatCompletion, "admission"));
  app.get("/v1/chat/completions", tenantRoute("/v1/chat/completions", listStoredCompletions));
  const stored = "/v1/chat/completions/:id";
  app.post(stored, tenantRoute("/v1/chat/completions/{id}", updateCompletion));
  const messages = `${stored}/messages`;
  app.get(messages, tenantRoute("/v1/chat/completions/{id}/messages", listCompletionMessages));
  app.get(stored, tenantRoute("/v1/chat/completions/{id}", showCompletion));
  app.delete(stored, tenantRoute("/v1/chat/completions/{id}", deleteCompletion));
  app.post(`${stored}/cancel`, tenantRoute("/v1/chat/completions/{id}/cancel", cancelCompletion));
  addResponseRoutes(app);
  addConversationRoutes(app);
  addKnowledgeRoutes(app);
  addBatchRoutes(app);
  app.post("/v1/completions", tenantRoute("/v1/completions", createCompletion, "admission"));
  app.post("/v1/embeddings", tenantRoute("/v1/embeddings", createEmbeddings, "admission"));
  app.post("/v1/moderations", tenantRoute("/v1/moderations", createModeration, "admission"));
  app.get("/v1/models", tenantRoute("/v1/models", listAllModels));
  app.get("/v1/models/:id{.+}", tenantRoute("/v1/models/{id}", showModel));
  app.get("/v1/usage", tenantRoute("/v1/usage", showUsage));
  app.get("/v1/usage/receipts/:id", tenantRoute("/v1/usage/receipts/{id}", showReceipt));
  const receiptKeys = "/.well-known/edgewise-receipts.json";
  app.get(receiptKeys, publicRoute(receiptKeys, showReceiptKeys));
  app.get("/health", aliveRoute("/health", health));
  app.get("/health/ready", publicRoute("/health/ready", ready));
  app.get("/openapi.json", publicRoute("/openapi.json", openApiDocument));
  app.get("/docs", publicRoute("/docs", referencePage));
  app.get("/metrics", platformRoute("/metrics", "platform:metrics", showMetrics));
  app.get("/demo/session", publicRoute("/demo/session", offersDemo));
  app.post("/demo/session", publicRoute("/demo/session", startDemo));
  addAdminRoutes(app);
  const methods = methodsByPath(app);
  app.notFound(publicRoute("unknown", answerPreflight(unknownRoute(methods))));
  return app;
}

function addConversationRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  app.post("/v1/conversations", tenantRoute("/v1/conversations", createConversation));
  app.get("/v1/conversations", tenantRoute("/v1/conversations", listConversations));
  app.get("/v1/conversation_deletions", tenantRoute("/v1/conversation_deletions", listConversationDeletions));
  const conversation = "/v1/conversations/:id";
  app.get(conversation, tenantRoute("/v1/conversations/{id}", showConversation));
  app.post(conversation, tenantRoute("/v1/conversations/{id}", updateConversation));
  app.delete(conversation, tenantRoute("/v1/conversations/{id}", deleteConversation));
  app.get(
    `${conversation}/branches`,
    tenantRoute("/v1/conversations/{id}/branches", listConversationBranches),
  );
  app.get(`${conversation}/export`, tenantRoute("/v1/conversations/{id}/export", exportConversation));
  app.get(`${conversation}/watch`, tenantRoute("/v1/conversations/{id}/watch", watchConversation));
  const items = "/v1/conversations/:id/items";
  app.get(items, tenantRoute("/v1/conversations/{id}/items", listConversationItems));
  app.post(items, tenantRoute("/v1/conversations/{id}/items", addConversationItems));
  const item = "/v1/conversations/:id/items/:item_id";
  app.get(item, tenantRoute("/v1/conversations/{id}/items/{item_id}", showConversationItem));
  app.delete(item, tenantRoute("/v1/conversations/{id}/items/{item_id}", deleteConversationItem));
}

function addResponseRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  const response = "/v1/responses/:id";
  const path = "/v1/responses/{id}";
  app.post("/v1/responses", tenantRoute("/v1/responses", createResponseOverHttp, "admission"));
  app.get("/v1/responses", tenantRoute("/v1/responses", openResponseSocket));
  const count = "/v1/responses/input_tokens";
  app.post(count, tenantRoute(count, countInputTokens, "admission"));
  app.get(response, tenantRoute(path, showResponse));
  app.delete(response, tenantRoute(path, deleteResponse));
  app.post(`${response}/cancel`, tenantRoute(`${path}/cancel`, cancelResponse));
  app.get(`${response}/input_items`, tenantRoute(`${path}/input_items`, listInputItems));
}

function addBatchRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  const batch = "/v1/batches/:id";
  app.post("/v1/batches", tenantRoute("/v1/batches", createBatch));
  app.get("/v1/batches", tenantRoute("/v1/batches", listBatches));
  app.get(batch, tenantRoute("/v1/batches/{id}", showBatch));
  app.post(`${batch}/cancel`, tenantRoute("/v1/batches/{id}/cancel", cancelBatch));
}

function addAdminRoutes(app: Hono<{ Bindings: Cloudflare.Env }>): void {
  const key = "/admin/keys/:id";
  const tenant = "/admin/tenants/:id";
  app.post("/admin/keys", adminRoute("/admin/keys", anyAdmin, createApiKey));
  app.get("/admin/keys", adminRoute("/admin/keys", anyAdmin, listApiKeys));
  app.get(key, adminRoute("/admin/keys/{id}", anyAdmin, showApiKey));
  app.delete(key, adminRoute("/admin/keys/{id}", anyAdmin, revokeApiKey));
  app.post("/admin/keys/restore", adminRoute("/admin/keys/restore", anyAdmin, restoreApiKeys));
  app.post(`${key}/rotate`, adminRoute("/admin/keys/{id}/rotate", anyAdmin, rotateApiKey));
  app.post("/admin/revocations", adminRoute("/admin/revocations", anyAdmin, createRevocation));
  app.delete("/admin/semantic_cache", adminRoute("/admin/semantic_cache", anyAdmin, eraseSemanticCache));
  app.delete("/admin/history", adminRoute("/admin/history", anyAdmin, eraseAllHistory));
  app.delete("/admin/knowledge", adminRoute("/admin/knowledge", anyAdmin, eraseAllKnowledge));
  app.get("/admin/limits", adminRoute("/admin/limits", anyAdmin, showLimits));
  app.get("/admin/usage", adminRoute("/admin/usage", anyAdmin, showTenantUsage));
  app.get("/admin/fleet", adminRoute("/admin/fleet", platformAdminOnly, showAllClusters));
  app.post("/admin/fleet", adminRoute("/admin/fleet", platformAdminOnly, changeReplica));
  app.get("/admin/audit", adminRoute("/admin/audit", anyAdmin, showAudit));
  app.get("/admin/tenants", adminRoute("/admin/tenants", platformAdminOnly, listAllTenants));
  app.get(tenant, adminRoute("/admin/tenants/{id}", anyAdmin, showOneTenant));
  app.put(tenant, adminRoute("/admin/tenants/{id}", platformAdminOnly, putOneTenant));
  app.delete(tenant, adminRoute("/admin/tenants/{id}", platformAdminOnly, deleteOneTenant));
}

/** Which methods each pattern has, so that a wrong one is told apart from an unknown path (404 and 405). */
function methodsByPath(app: Hono<{ Bindings: Cloudflare.Env }>): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of app.routes) methods.set(path, [...(methods.get(path) ?? []), method]);
  return methods;
}
