/**
 * Which routes does the public API have? One table: the OpenAPI document is made from it, and a test holds the edge
 * Worker's router against it, so that no route is undocumented and none is promised that is not there.
 */
import type * as z from "zod";
import { adminRoutes, adminSchemas } from "./admin-routes.ts";
import { responseRoutes, responseSchemas } from "./responses-routes.ts";
import { chatRequestSchema } from "./chat-request.ts";
import {
  conversationCreationSchema,
  conversationItemsSchema,
  conversationUpdateSchema,
} from "./conversation-request.ts";
import { completionRequestSchema } from "./completions-request.ts";
import { embeddingRequestSchema } from "./embeddings-request.ts";
import { receiptKeysSchema, usageReceiptSchema } from "./receipt-responses.ts";
import {
  cancellationSchema,
  chatCompletionChunkSchema,
  chatCompletionSchema,
  completionSchema,
  conversationBranchListSchema,
  conversationDeletionListSchema,
  conversationExportSchema,
  conversationItemListSchema,
  conversationItemSchema,
  conversationListSchema,
  conversationSchema,
  deletionSchema,
  embeddingListSchema,
  errorSchema,
  healthSchema,
  modelListSchema,
  modelSchema,
  readinessSchema,
  textStreamEventSchema,
  usageReportSchema,
  usageSchema,
} from "./responses.ts";

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
  Model: modelSchema,
  ModelList: modelListSchema,
  Usage: usageSchema,
  UsageReport: usageReportSchema,
  UsageReceipt: usageReceiptSchema,
  ReceiptKeys: receiptKeysSchema,
  Health: healthSchema,
  Readiness: readinessSchema,
  ...responseSchemas,
  ...adminSchemas,
  Error: errorSchema,
} satisfies Record<string, z.ZodType>;
export type ComponentName = keyof typeof componentSchemas;

export interface PublicRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** OpenAPI's form: parameters in braces. */
  readonly path: string;
  readonly tag: "Chat" | "Responses" | "Conversations" | "Models" | "Account" | "Admin" | "Service";
  readonly summary: string;
  readonly description?: string;
  /** Any one of these opens it; none: any credential of a tenant; null: no credential is asked for. */
  readonly scopes: readonly string[] | null;
  readonly request?: { readonly schema: ComponentName; readonly example: unknown };
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly queryParameters?: Readonly<Record<string, string>>;
  readonly headers?: readonly RequestHeader[];
  readonly success: {
    readonly description: string;
    /** By media type; null: not JSON, no schema. */
    readonly content: Readonly<Record<string, ComponentName | null>>;
  };
  /** Statuses of the errors that it can answer with, beside 500. */
  readonly errors: readonly ErrorStatus[];
  /** What those errors look like, where not as OpenAI's. */
  readonly errorSchema?: ComponentName;
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 408 | 409 | 413 | 415 | 422 | 429 | 503;
export type RequestHeader =
  | "x-request-id"
  | "traceparent"
  | "Cache-Control"
  | "Idempotency-Key"
  | "Last-Event-ID";

const everyCall: readonly ErrorStatus[] = [401, 403, 429, 503];
const everyBody: readonly ErrorStatus[] = [400, 404, 413, 415, ...everyCall];
const correlation: readonly RequestHeader[] = ["x-request-id", "traceparent"];

const conversationId = { id: "Its id, or the name that you gave as `conversation_id`." };

const includeNote = "Values of OpenAI's are taken. Items hold all that there is with or without it.";

export const publicRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/chat/completions",
    tag: "Chat",
    summary: "Answer a chat",
    description:
      "OpenAI's chat completions. With `stream: true` the answer is a stream of server-sent events: one " +
      "ChatCompletionChunk each, one more with the usage if `stream_options.include_usage` asks for it, then `[DONE]`. A " +
      'line `: keep-alive` fills silences. What breaks after the first byte is one event `{"error": …}`, without ' +
      '`[DONE]`. `stream_format: "text"` gives one TextStreamEvent each instead. What becomes of every field, of ' +
      "OpenAI's and of vLLM's, is said at the field.",
    scopes: [],
    headers: [...correlation, "Cache-Control", "Idempotency-Key"],
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
    errors: [...everyBody, 409, 422],
  },
  {
    method: "GET",
    path: "/v1/chat/completions/{id}",
    tag: "Chat",
    summary: "Look a stored answer up, or follow it again",
    description:
      "Answers with a `conversation_id` or `store: true` run on without their client and are kept; those with an " +
      "`Idempotency-Key` run on and are kept for 24 hours. `?stream=true` replays the events behind " +
      "`Last-Event-ID` and goes on live; without it the final answer comes, or 409 while it is still being written.",
    scopes: [],
    pathParameters: { id: "The answer's id, also in `x-edgewise-response-id`." },
    queryParameters: {
      stream: "`true`: its events, as they came and come.",
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
    summary: "Forget a stored answer",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "Forgotten", content: { "application/json": "Deletion" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/chat/completions/{id}/cancel",
    tag: "Chat",
    summary: "Stop an answer that is being written",
    description:
      "The model stops; what it said stands, and its stream ends. Stopping twice is stopping once.",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "How it ended", content: { "application/json": "Cancellation" } },
    errors: [404, ...everyCall],
  },
  ...responseRoutes,
  {
    method: "POST",
    path: "/v1/conversations",
    tag: "Conversations",
    summary: "Make a conversation",
    description:
      "Its id goes into `conversation_id` of a chat. A name of your own needs no making: it comes to be by being used.",
    scopes: [],
    request: {
      schema: "ConversationCreation",
      example: { metadata: { topic: "physics" }, items: [{ role: "user", content: "I am Ann." }] },
    },
    success: { description: "It is there", content: { "application/json": "Conversation" } },
    errors: [400, 413, 415, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations",
    tag: "Conversations",
    summary: "List your conversations",
    description:
      "By when they were made, so that no page repeats or leaves out one. Ours: OpenAI has no such list. One that was " +
      "just made may take a moment to appear.",
    scopes: [],
    queryParameters: {
      limit: "1 to 100; 20 where absent.",
      order: "`desc` (newest first, the default) or `asc`.",
      after: "A conversation's id: the page begins behind it.",
    },
    success: { description: "A page of them", content: { "application/json": "ConversationList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversation_deletions",
    tag: "Conversations",
    summary: "List what is left of the conversations that you deleted",
    description:
      "Records without content, newest first: when, how much, and until when the platform could recover it.",
    scopes: [],
    queryParameters: {
      limit: "1 to 100; 20 where absent.",
      after: "A record's id: the page begins behind it.",
    },
    success: { description: "A page of them", content: { "application/json": "ConversationDeletionList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}",
    tag: "Conversations",
    summary: "Look at a conversation",
    scopes: [],
    pathParameters: conversationId,
    success: { description: "The conversation", content: { "application/json": "Conversation" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/conversations/{id}",
    tag: "Conversations",
    summary: "Change a conversation's metadata, title or active branch",
    description: "Metadata all together: pairs that are not sent are gone. Fields that are not sent stay.",
    scopes: [],
    pathParameters: conversationId,
    request: { schema: "ConversationUpdate", example: { metadata: { topic: "chemistry" } } },
    success: { description: "As it is now", content: { "application/json": "Conversation" } },
    errors: everyBody,
  },
  {
    method: "DELETE",
    path: "/v1/conversations/{id}",
    tag: "Conversations",
    summary: "Erase a conversation and everything that was said in it",
    description:
      "A turn that is being written when it goes is not saved, and the stored answers of its turns go with it. " +
      "`deletion` says what went, and until when the platform's own recovery could bring it back.",
    scopes: [],
    pathParameters: conversationId,
    success: { description: "Erased", content: { "application/json": "Deletion" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/branches",
    tag: "Conversations",
    summary: "List a conversation's branches",
    description:
      "A turn behind any item but the last (`parent_item_id`) begins one; nothing is overwritten. `br_0` is what the " +
      "conversation began with. `active_branch` of an update chooses which one turns go on.",
    scopes: [],
    pathParameters: conversationId,
    success: { description: "All of them", content: { "application/json": "ConversationBranchList" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/export",
    tag: "Conversations",
    summary: "Take a conversation along, with every branch",
    scopes: [],
    pathParameters: conversationId,
    success: { description: "All of it", content: { "application/json": "ConversationExport" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/watch",
    tag: "Conversations",
    summary: "See what is being written in a conversation, as it is written",
    description:
      "For a second device. Server-sent events: `turn.started` with what was asked, the turn's own events as its answer " +
      "streams them, `turn.ended`, then the next turn; `conversation.deleted` is the last. Every event's `id` says where in " +
      "which turn it is; `Last-Event-ID` goes on behind it. The stream ends after five minutes: connect again.",
    scopes: [],
    pathParameters: conversationId,
    queryParameters: { starting_after: "As `Last-Event-ID`, for clients that can't set headers." },
    headers: ["Last-Event-ID"],
    success: { description: "The events", content: { "text/event-stream": null } },
    errors: [400, 404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/items/{item_id}",
    tag: "Conversations",
    summary: "Look at one item of a conversation",
    scopes: [],
    pathParameters: { ...conversationId, item_id: "The item's id." },
    queryParameters: { include: includeNote },
    success: { description: "The item", content: { "application/json": "ConversationItem" } },
    errors: [400, 404, ...everyCall],
  },
  {
    method: "DELETE",
    path: "/v1/conversations/{id}/items/{item_id}",
    tag: "Conversations",
    summary: "Take one item out of a conversation",
    scopes: [],
    pathParameters: { ...conversationId, item_id: "The item's id." },
    success: { description: "What is left", content: { "application/json": "Conversation" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/conversations/{id}/items",
    tag: "Conversations",
    summary: "Add to a conversation without asking a model",
    description: "They go to the end of the active branch. With an `Idempotency-Key`, twice is once.",
    scopes: [],
    headers: ["Idempotency-Key"],
    pathParameters: conversationId,
    queryParameters: { include: includeNote },
    request: {
      schema: "ConversationItemsCreation",
      example: { items: [{ role: "user", content: "I am Ann." }] },
    },
    success: { description: "The items", content: { "application/json": "ConversationItemList" } },
    errors: everyBody,
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/items",
    tag: "Conversations",
    summary: "List what was said in a conversation",
    scopes: [],
    pathParameters: conversationId,
    queryParameters: {
      limit: "1 to 100; 20 where absent.",
      order: "`desc` (newest first, the default) or `asc`.",
      after: "An item's id: the page begins behind it.",
      branch: "`br_…`: the items of that branch. Absent: of the active one.",
      include: includeNote,
    },
    success: { description: "A page of items", content: { "application/json": "ConversationItemList" } },
    errors: [400, 404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/completions",
    tag: "Chat",
    summary: "Continue a text",
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
    errors: everyBody,
  },
  {
    method: "POST",
    path: "/v1/embeddings",
    tag: "Models",
    summary: "Turn text into vectors",
    scopes: [],
    headers: correlation,
    request: { schema: "EmbeddingRequest", example: { model: "embed", input: ["one text", "another"] } },
    success: {
      description: "One vector an input, in order",
      content: { "application/json": "EmbeddingList" },
    },
    errors: everyBody,
  },
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
    summary: "Look one model up",
    scopes: [],
    pathParameters: { id: "A model's id or an alias." },
    success: { description: "The model", content: { "application/json": "Model" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/usage",
    tag: "Account",
    summary: "Your limits and what is left of them",
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
    summary: "The signed receipt of a stored answer",
    description:
      "What one turn was charged: tokens, price and its version, model, attempts, what guards found. `receipt` is a JWS in " +
      "compact form, verified by the keys of `/.well-known/edgewise-receipts.json`. Only where the tenant has receipts on; " +
      "the receipt of an answer that is not stored is in the answer alone (`edgewise.receipt` of its last event, of a response in its `response`).",
    scopes: [],
    pathParameters: { id: "The answer's id." },
    success: { description: "The receipt", content: { "application/json": "UsageReceipt" } },
    errors: [404, 409, ...everyCall],
  },
  {
    method: "GET",
    path: "/.well-known/edgewise-receipts.json",
    tag: "Service",
    summary: "The keys that verify usage receipts",
    scopes: null,
    success: { description: "A JWK set", content: { "application/json": "ReceiptKeys" } },
    errors: [],
  },
  {
    method: "GET",
    path: "/health",
    tag: "Service",
    summary: "Is this Worker alive?",
    scopes: null,
    success: { description: "Alive", content: { "application/json": "Health" } },
    errors: [],
  },
  {
    method: "GET",
    path: "/health/ready",
    tag: "Service",
    summary: "Can it serve: configuration, limits and a model behind every alias?",
    scopes: null,
    success: {
      description: "Ready; else 503, naming the part",
      content: { "application/json": "Readiness" },
    },
    errors: [503],
    errorSchema: "Readiness",
  },
  {
    method: "GET",
    path: "/metrics",
    tag: "Service",
    summary: "Metrics of the whole platform, for Prometheus",
    description:
      "Prometheus' text format. What each metric means is in docs/metrics.md. Needs a platform credential.",
    scopes: ["platform:metrics"],
    success: { description: "Every metric", content: { "text/plain": null } },
    errors: [401, 403, 503],
  },
  {
    method: "GET",
    path: "/openapi.json",
    tag: "Service",
    summary: "This description",
    scopes: null,
    success: { description: "An OpenAPI 3.1 document", content: { "application/json": null } },
    errors: [],
  },
  {
    method: "GET",
    path: "/docs",
    tag: "Service",
    summary: "The page that shows this description",
    scopes: null,
    success: { description: "A page", content: { "text/html": null } },
    errors: [],
  },
  ...adminRoutes,
];
