/** The part of the route table (routes.ts) that is about stored chat completions, and what its answers look like. */
import * as z from "zod";
import { correlation, everyBody, everyCall, type PublicRoute } from "./public-route.ts";
import { chatCompletionSchema } from "./responses.ts";
import { completionUpdateSchema } from "./stored-completion-request.ts";

const page = () => ({
  object: z.literal("list"),
  first_id: z.string(),
  last_id: z.string(),
  has_more: z.boolean(),
});

const storedMessageSchema = z.lazy(() =>
  z.looseObject({
    id: z.string().meta({ description: "The completion's id, a dash, and the message's number from 0." }),
    role: z.enum(["system", "user", "assistant", "tool"]),
    content: z.string().nullable().meta({ description: "Null where it was sent in parts." }),
    refusal: z.null(),
    name: z.string().nullable(),
    content_parts: z
      .array(z.looseObject({ type: z.string() }))
      .nullable()
      .meta({ description: "As they were sent; null where it was a text." }),
  }),
);

export const storedCompletionSchemas = {
  ChatCompletionUpdate: completionUpdateSchema,
  ChatCompletionList: z.lazy(() => z.looseObject({ ...page(), data: z.array(chatCompletionSchema) })),
  ChatCompletionMessageList: z.lazy(() => z.looseObject({ ...page(), data: z.array(storedMessageSchema) })),
} satisfies Record<string, z.ZodType>;

const id = { id: "The completion's id, also in `x-edgewise-response-id`." };

export const storedCompletionRoutes: readonly PublicRoute[] = [
  {
    method: "GET",
    path: "/v1/chat/completions",
    tag: "Chat",
    summary: "List your stored chat completions",
    description:
      "Those of `store: true`, by when they were asked for, for as long as they are kept. One that has just ended may take a " +
      "moment to appear. A page holds at most 8 million characters: it may be shorter than `limit`, with `has_more`. The " +
      "latest 100,000 are listed.",
    scopes: [],
    queryParameters: {
      limit: "1 to 100; 20 by default.",
      order: "`asc` (oldest first, the default) or `desc`.",
      after: "A completion's id: the page begins after it.",
      model: "The model that answered: `model` of the completion.",
      metadata: "`metadata[key]=value`, up to 16 times: those that have all of these pairs.",
    },
    headers: correlation,
    success: { description: "A page of them", content: { "application/json": "ChatCompletionList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/chat/completions/{id}",
    tag: "Chat",
    summary: "Change a stored chat completion's metadata",
    description:
      "`metadata` is replaced as a whole: pairs that are not sent are removed. Only for a completion that was made with `store: true`.",
    scopes: [],
    headers: correlation,
    pathParameters: id,
    request: { schema: "ChatCompletionUpdate", example: { metadata: { topic: "physics" } } },
    success: { description: "As it is now", content: { "application/json": "ChatCompletion" } },
    errors: [409, ...everyBody],
  },
  {
    method: "GET",
    path: "/v1/chat/completions/{id}/messages",
    tag: "Chat",
    summary: "List the messages of a stored chat completion's request",
    description:
      "Those of the request, as they were screened; what its conversation had before is not of this turn. Only of one that " +
      "was made with `store: true`. They can be sent again in `messages` as they are; of a file that came with its bytes these are lacking.",
    scopes: [],
    headers: correlation,
    pathParameters: id,
    queryParameters: {
      limit: "1 to 100; 20 by default.",
      order: "`asc` (as they were sent, the default) or `desc`.",
      after: "A message's id: the page begins after it.",
    },
    success: {
      description: "A page of messages",
      content: { "application/json": "ChatCompletionMessageList" },
    },
    errors: [400, 404, 409, ...everyCall],
  },
];
