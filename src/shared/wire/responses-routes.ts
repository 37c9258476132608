/** The `/v1/responses` part of the route table (routes.ts), and what its answers look like. */
import * as z from "zod";
import { includeNote } from "./conversation-routes.ts";
import { inputTokensRequestSchema } from "./input-tokens-request.ts";
import { responseRequestSchema } from "./responses-request.ts";
import { receiptMember } from "./receipt-responses.ts";
import { outputItemSchema } from "./output-item-responses.ts";
import type { PublicRoute } from "./public-route.ts";

const responseSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("response"),
    created_at: z.int(),
    status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.looseObject({ reason: z.string() }).nullable(),
    model: z.string(),
    output: z.array(outputItemSchema),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }).optional(),
    edgewise: receiptMember.optional(),
  }),
);

const responseEventSchema = z.lazy(() =>
  z.looseObject({
    type: z.string().meta({ description: "`response.output_text.delta` and so on." }),
    sequence_number: z.int().min(0).meta({ description: "From 0, without a gap; also the event's `id:`." }),
  }),
);

const inputItemListSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("list"),
    data: z.array(z.looseObject({ id: z.string(), type: z.string() })),
    first_id: z.string(),
    last_id: z.string(),
    has_more: z.boolean(),
  }),
);

const inputTokensSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("response.input_tokens"),
    input_tokens: z.int().min(0),
    edgewise: z.looseObject({
      basis: z
        .enum(["exact", "estimated"])
        .meta({ description: "`exact`: the engine counted what it would get. `estimated`: the edge did." }),
      retrieval: z
        .looseObject({ passages: z.int().min(0), complete: z.boolean() })
        .optional()
        .meta({
          description:
            "With the tool `file_search`: how many passages of files are counted, and whether none may be missing (`false`: a store did not answer in time).",
        }),
    }),
  }),
);

const responseDeletionSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("response"),
    deleted: z.boolean(),
  }),
);

export const responseSchemas = {
  ResponseRequest: responseRequestSchema,
  Response: responseSchema,
  ResponseEvent: responseEventSchema,
  ResponseDeletion: responseDeletionSchema,
  InputItemList: inputItemListSchema,
  InputTokensRequest: inputTokensRequestSchema,
  InputTokens: inputTokensSchema,
} satisfies Record<string, z.ZodType>;

const common = [401, 403, 429, 503] as const;
const id = { id: "The response's id, also in `x-edgewise-response-id`." };

export const responseRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/responses",
    tag: "Responses",
    summary: "Create a response",
    description:
      "OpenAI's Responses API. Every response runs on without its client, and is kept unless `store` is false. With " +
      "`stream: true` the answer is its events, each with its `sequence_number` as `id:`; the last is `response.completed`, " +
      "`response.incomplete` (cut short, or cancelled) or `response.failed`. With `background: true` the answer comes at once, " +
      "as `queued`.",
    scopes: [],
    headers: ["x-request-id", "traceparent", "Idempotency-Key", "Last-Event-ID"],
    request: {
      schema: "ResponseRequest",
      example: { model: "auto", instructions: "Be brief.", input: "Explain quantum computing", stream: true },
    },
    success: {
      description: "The response, whole or as its events",
      content: { "application/json": "Response", "text/event-stream": null },
    },
    errors: [400, 404, 409, 413, 415, 422, 504, ...common],
  },
  {
    method: "GET",
    path: "/v1/responses",
    tag: "Responses",
    summary: "Open a socket for responses",
    description:
      "With `Upgrade: websocket`. The credential comes in `Authorization`, or, from a browser, as the subprotocol " +
      "`openai-insecure-api-key.<token>`; never in the URL. Send `response.create` with the fields of POST /v1/responses and " +
      "get the same events, as JSON messages; `stream_id` names a lane, whose responses come one after the other. Ours: " +
      '`{"type":"response.resume","response_id":…,"starting_after":…}` goes on after an event, `{"type":"session.ack"}` says that ' +
      "the client reads. After 2,048 KB without a word of the client (`ping`, answered with `pong`, is one) it is waited for 5 s, then " +
      "closed with 1013, and resumes. Closed after an hour, and where the credential expires or is revoked (1008).",
    scopes: [],
    success: { description: "101: the socket is open", content: { "text/plain": null } },
    errors: [409, ...common],
  },
  {
    method: "POST",
    path: "/v1/responses/input_tokens",
    tag: "Responses",
    summary: "Count the tokens of a prompt",
    description:
      "Of the prompt that the same fields of POST /v1/responses would make, with what it goes on from, the tenant's own " +
      "instructions and the model's template. The engine counts where it can (vLLM's /tokenize) and has room; else, and for " +
      "images, it is our estimate, within some per cent. `edgewise.basis` says which. With the tool `file_search` files are searched as for a response, " +
      "and what is found is counted: `edgewise.retrieval`.",
    scopes: [],
    headers: ["x-request-id", "traceparent"],
    request: {
      schema: "InputTokensRequest",
      example: { model: "auto", input: "Tell me a joke." },
    },
    success: { description: "The count", content: { "application/json": "InputTokens" } },
    errors: [400, 404, 413, 415, ...common],
  },
  {
    method: "GET",
    path: "/v1/responses/{id}",
    tag: "Responses",
    summary: "Get a response, or replay its events",
    description:
      "As it is now. `?stream=true` replays its events after `starting_after` and goes on live; ten minutes after the end they are gone, and it tells the final response from its beginning.",
    scopes: [],
    pathParameters: id,
    queryParameters: {
      stream: "`true`: its events from the beginning, then live.",
      starting_after: "The `sequence_number` of the last event that was seen; or send `Last-Event-ID`.",
      include: includeNote,
      include_obfuscation: "Without effect: nothing is padded.",
    },
    headers: ["x-request-id", "traceparent", "Last-Event-ID"],
    success: {
      description: "The response, or its events",
      content: { "application/json": "Response", "text/event-stream": null },
    },
    errors: [400, 404, ...common],
  },
  {
    method: "POST",
    path: "/v1/responses/{id}/cancel",
    tag: "Responses",
    summary: "Cancel a running response",
    description:
      "Any, not only those in the background. What was said stands; its events end with `response.incomplete`, its status is " +
      "`cancelled`. Stopping twice is stopping once; one that has ended is answered as it is.",
    scopes: [],
    pathParameters: id,
    success: { description: "The response as it ended", content: { "application/json": "Response" } },
    errors: [404, ...common],
  },
  {
    method: "DELETE",
    path: "/v1/responses/{id}",
    tag: "Responses",
    summary: "Delete a response",
    description: "Responses that went on from it keep what they hold themselves, and go on without it.",
    scopes: [],
    pathParameters: id,
    success: { description: "Forgotten", content: { "application/json": "ResponseDeletion" } },
    errors: [404, ...common],
  },
  {
    method: "GET",
    path: "/v1/responses/{id}/input_items",
    tag: "Responses",
    summary: "List the input items of a response",
    description: "Its own input: not what it goes on from.",
    scopes: [],
    pathParameters: id,
    queryParameters: {
      limit: "1 to 100; 20 by default.",
      order: "`desc` (newest first, the default) or `asc`.",
      after: "An item's id: the page begins after it.",
      include: includeNote,
    },
    success: { description: "A page of items", content: { "application/json": "InputItemList" } },
    errors: [400, 404, ...common],
  },
];
