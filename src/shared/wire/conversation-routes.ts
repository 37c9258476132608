/** The `/v1/conversations/*` part of the route table (routes.ts). */
import { everyBody, everyCall, type PublicRoute } from "./public-route.ts";

const conversationId = { id: "Its id, or the name that you gave as `conversation_id`." };

/** The note on `include`, for all routes that return items. */
export const includeNote = "Values of OpenAI's are taken. Items hold all that there is with or without it.";

export const conversationRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/conversations",
    tag: "Conversations",
    summary: "Create a conversation",
    description:
      "Its id goes into `conversation_id` of a chat. A name of your own needs no call: the conversation is created when the name is first used.",
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
      limit: "1 to 100; 20 by default.",
      order: "`desc` (newest first, the default) or `asc`.",
      after: "A conversation's id: the page begins after it.",
    },
    success: { description: "A page of them", content: { "application/json": "ConversationList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversation_deletions",
    tag: "Conversations",
    summary: "List the records of your deleted conversations",
    description:
      "Records without content, newest first: when, how much, and until when the platform could recover it.",
    scopes: [],
    queryParameters: {
      limit: "1 to 100; 20 by default.",
      after: "A record's id: the page begins after it.",
    },
    success: { description: "A page of them", content: { "application/json": "ConversationDeletionList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}",
    tag: "Conversations",
    summary: "Get a conversation",
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
    description:
      "`metadata` is replaced as a whole: pairs that are not sent are removed. Other fields that are not sent stay.",
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
    summary: "Delete a conversation and everything in it",
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
      "A turn that follows any item but the last (`parent_item_id`) begins one; nothing is overwritten. `br_0` is what the " +
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
    summary: "Export a conversation with all its branches",
    scopes: [],
    pathParameters: conversationId,
    success: { description: "All of it", content: { "application/json": "ConversationExport" } },
    errors: [404, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/watch",
    tag: "Conversations",
    summary: "Follow a conversation live, on a second device",
    description:
      "For a second device. Server-sent events: `turn.started` with what was asked, the turn's own events as its answer " +
      "streams them, `turn.ended`, then the next turn; `conversation.changed` where what is listed has changed otherwise; " +
      "`conversation.deleted` is the last. A turn's events' `id` says where in which turn it is; `Last-Event-ID` goes on after it. The stream ends after five minutes: connect again.",
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
    summary: "Get an item of a conversation",
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
    summary: "Delete an item of a conversation",
    scopes: [],
    pathParameters: { ...conversationId, item_id: "The item's id." },
    success: { description: "What is left", content: { "application/json": "Conversation" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/conversations/{id}/items",
    tag: "Conversations",
    summary: "Add items to a conversation, without asking a model",
    description:
      "They go to the end of the active branch. With an `Idempotency-Key`, a repeated call adds them once.",
    scopes: [],
    headers: ["Idempotency-Key"],
    pathParameters: conversationId,
    queryParameters: { include: includeNote },
    request: {
      schema: "ConversationItemsCreation",
      example: { items: [{ role: "user", content: "I am Ann." }] },
    },
    success: { description: "The items", content: { "application/json": "ConversationItemList" } },
    errors: [422, ...everyBody],
  },
  {
    method: "GET",
    path: "/v1/conversations/{id}/items",
    tag: "Conversations",
    summary: "List the items of a conversation",
    description:
      "Of an answer that cites files or the web, `annotations` say which, and where in its text; not what they say.",
    scopes: [],
    pathParameters: conversationId,
    queryParameters: {
      limit: "1 to 100; 20 by default.",
      order: "`desc` (newest first, the default) or `asc`.",
      after: "An item's id: the page begins after it.",
      branch: "`br_…`: the items of that branch. Absent: of the active one.",
      include: includeNote,
    },
    success: { description: "A page of items", content: { "application/json": "ConversationItemList" } },
    errors: [400, 404, ...everyCall],
  },
];
