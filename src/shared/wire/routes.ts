/**
 * Which routes does the public API have? One table: the OpenAPI document is made from it, and a test compares it
 * with the edge Worker's router, so that every route is documented and every documented one exists.
 */
import type * as z from "zod";
import { adminRoutes, adminSchemas } from "./admin-routes.ts";
import { responseRoutes, responseSchemas } from "./responses-routes.ts";
import { batchRoutes, batchSchemas } from "./batch-routes.ts";
import { chatRequestSchema } from "./chat-request.ts";
import {
  conversationCreationSchema,
  conversationItemsSchema,
  conversationUpdateSchema,
} from "./conversation-request.ts";
import { completionRequestSchema } from "./completions-request.ts";
import {
  conversationBranchListSchema,
  conversationDeletionListSchema,
  conversationExportSchema,
  conversationItemListSchema,
  conversationItemSchema,
  conversationListSchema,
  conversationSchema,
} from "./conversation-responses.ts";
import { conversationRoutes } from "./conversation-routes.ts";
import { embeddingRequestSchema } from "./embeddings-request.ts";
import { knowledgeRoutes, knowledgeSchemas } from "./knowledge-routes.ts";
import { moderationRoute, moderationSchema } from "./moderation-responses.ts";
import { moderationRequestSchema } from "./moderations-request.ts";
import { correlation, everyBody, everyCall, type PublicRoute } from "./public-route.ts";
import { receiptKeysSchema, usageReceiptSchema } from "./receipt-responses.ts";
import {
  cancellationSchema,
  chatCompletionChunkSchema,
  chatCompletionSchema,
  completionSchema,
  deletionSchema,
  embeddingListSchema,
  errorSchema,
  healthSchema,
  modelListSchema,
  modelSchema,
  readinessSchema,
  textStreamEventSchema,
  usageSchema,
} from "./responses.ts";
import { serviceRoutes } from "./service-routes.ts";
import { storedCompletionRoutes, storedCompletionSchemas } from "./stored-completion-routes.ts";
import { usageReportSchema } from "./usage-responses.ts";

/** Named schemas of the document. */
export const componentSchemas = {
  ChatCompletionRequest: chatRequestSchema,
  ChatCompletion: chatCompletionSchema,
  ChatCompletionChunk: chatCompletionChunkSchema,
  TextStreamEvent: textStreamEventSchema,
  Cancellation: cancellationSchema,
  Deletion: deletionSchema,
  ConversationCreation: conversationCreationSchema,
  ConversationUpdate: conversationUpdateSchema,
  ConversationItemsCreation: conversationItemsSchema,
  Conversation: conversationSchema,
  ConversationList: conversationListSchema,
  ConversationDeletionList: conversationDeletionListSchema,
  ConversationBranchList: conversationBranchListSchema,
  ConversationExport: conversationExportSchema,
  ConversationItem: conversationItemSchema,
  ConversationItemList: conversationItemListSchema,
  CompletionRequest: completionRequestSchema,
  Completion: completionSchema,
  EmbeddingRequest: embeddingRequestSchema,
  EmbeddingList: embeddingListSchema,
  ModerationRequest: moderationRequestSchema,
  Moderation: moderationSchema,
  Model: modelSchema,
  ModelList: modelListSchema,
  Usage: usageSchema,
  UsageReport: usageReportSchema,
  UsageReceipt: usageReceiptSchema,
  ReceiptKeys: receiptKeysSchema,
  Health: healthSchema,
  Readiness: readinessSchema,
  ...storedCompletionSchemas,
  ...responseSchemas,
  ...knowledgeSchemas,
  ...batchSchemas,
  ...adminSchemas,
  Error: errorSchema,
} satisfies Record<string, z.ZodType>;
export type ComponentName = keyof typeof componentSchemas;

export const publicRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/chat/completions",
    tag: "Chat",
    summary: "Create a chat completion",
    description:
      "OpenAI's chat completions. With `stream: true` the answer is a stream of server-sent events: one " +
      "ChatCompletionChunk each, one more with the usage if `stream_options.include_usage` asks for it, then `[DONE]`. A " +
      'line `: keep-alive` fills silences. What breaks after the first byte is one event `{"error": …}`, without ' +
      '`[DONE]`. `stream_format: "text"` gives one TextStreamEvent each instead. What becomes of every field, of ' +
      "OpenAI's and of vLLM's, is said at the field.",
    scopes: [],
    headers: [...correlation, "Cache-Control", "Idempotency-Key", "Last-Event-ID"],
    request: {
      schema: "ChatCompletionRequest",
      example: {
        model: "auto",
        messages: [
          { role: "system", content: "You are a helpful assistant." },
          { role: "user", content: "Explain quantum computing" },
        ],
        max_completion_tokens: 256,
        stream: true,
      },
    },
    success: {
      description: "The answer, whole or as a stream",
      content: { "application/json": "ChatCompletion", "text/event-stream": null },
    },
    errors: [...everyBody, 409, 422, 504],
  },
  {
    method: "GET",
    path: "/v1/chat/completions/{id}",
    tag: "Chat",
    summary: "Get a stored answer, or replay its stream",
    description:
      "Answers with a `conversation_id` or `store: true` run on without their client and are kept; those with an " +
      "`Idempotency-Key` run on and are kept for 24 hours. `?stream=true` replays the events after " +
      "`Last-Event-ID` and goes on live; ten minutes after the end they are gone, and it tells the final answer from its beginning, in OpenAI's form. " +
      "Without it the final answer comes, or 409 while it is still being written.",
    scopes: [],
    pathParameters: { id: "The answer's id, also in `x-edgewise-response-id`." },
    queryParameters: {
      stream: "`true`: its events from the beginning, then live. `false`, or absent: the answer.",
      starting_after: "As `Last-Event-ID`, for clients that can't set headers.",
    },
    headers: [...correlation, "Last-Event-ID"],
    success: {
      description: "The answer, whole or as a stream",
      content: { "application/json": "ChatCompletion", "text/event-stream": null },
    },
    errors: [400, 404, 409, ...everyCall],
  },
  {
    method: "DELETE",
    path: "/v1/chat/completions/{id}",
    tag: "Chat",
    summary: "Delete a stored answer",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "Forgotten", content: { "application/json": "Deletion" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/chat/completions/{id}/cancel",
    tag: "Chat",
    summary: "Cancel a running answer",
    description:
      "The model stops; what it said stands, and its stream ends. Cancelling it again changes nothing.",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "How it ended", content: { "application/json": "Cancellation" } },
    errors: [404, ...everyCall],
  },
  ...storedCompletionRoutes,
  ...responseRoutes,
  ...conversationRoutes,
  ...knowledgeRoutes,
  ...batchRoutes,
  {
    method: "POST",
    path: "/v1/completions",
    tag: "Chat",
    summary: "Create a completion",
    description:
      "OpenAI's older completions, for clients that still use them. Streams as chat completions do.",
    scopes: [],
    headers: correlation,
    request: {
      schema: "CompletionRequest",
      example: { model: "auto", prompt: "The first three primes are", max_tokens: 16 },
    },
    success: {
      description: "The continuation, whole or as a stream",
      content: { "application/json": "Completion", "text/event-stream": null },
    },
    errors: [...everyBody, 504],
  },
  {
    method: "POST",
    path: "/v1/embeddings",
    tag: "Models",
    summary: "Create embeddings",
    scopes: [],
    headers: correlation,
    request: { schema: "EmbeddingRequest", example: { model: "bge-small", input: ["one text", "another"] } },
    success: {
      description: "One vector an input, in order",
      content: { "application/json": "EmbeddingList" },
    },
    errors: [...everyBody, 504],
  },
  moderationRoute,
  {
    method: "GET",
    path: "/v1/models",
    tag: "Models",
    summary: "List the models and aliases that you can use",
    scopes: [],
    success: { description: "The models", content: { "application/json": "ModelList" } },
    errors: everyCall,
  },
  {
    method: "GET",
    path: "/v1/models/{id}",
    tag: "Models",
    summary: "Get a model",
    scopes: [],
    pathParameters: { id: "A model's id or an alias." },
    success: { description: "The model", content: { "application/json": "Model" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/usage",
    tag: "Account",
    summary: "Get your limits and what is left of them",
    scopes: [],
    success: {
      description: "Limits and usage of the caller",
      content: { "application/json": "UsageReport" },
    },
    errors: everyCall,
  },
  {
    method: "GET",
    path: "/v1/usage/receipts/{id}",
    tag: "Account",
    summary: "Get the signed receipt of a stored answer",
    description:
      "What one turn was charged: tokens, price and its version, model, attempts, what guards found. `receipt` is a JWS in " +
      "compact form, verified by the keys of `/.well-known/edgewise-receipts.json`. Only where the tenant has receipts on; " +
      "the receipt of an answer that is not stored is in the answer alone (`edgewise.receipt` of its last event, of a response in its `response`).",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "The receipt", content: { "application/json": "UsageReceipt" } },
    errors: [404, 409, ...everyCall],
  },
  ...serviceRoutes,
  ...adminRoutes,
];
