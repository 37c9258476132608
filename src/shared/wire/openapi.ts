/**
 * The OpenAPI 3.1 document of the public API, made from the route table and the schemas that check requests. Made at
 * first use, once in each isolate. Import it dynamically: no chat needs it.
 */
import * as z from "zod";
import { chatFieldRules, type ChatField } from "./chat-fields.ts";
import { introduction } from "./openapi-introduction.ts";
import { type ComponentName, componentSchemas, publicRoutes } from "./routes.ts";
import { costOf, type RouteCost } from "./route-costs.ts";
import type { ErrorStatus, PublicRoute, RequestHeader } from "./public-route.ts";

type Json = { [key: string]: unknown };

let cached: string | null = null;

/** The document as JSON text. */
export function openApiJson(): string {
  cached ??= JSON.stringify(openApiDocument());
  return cached;
}

export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Edgewise",
      version: "1",
      description: introduction,
    },
    servers: [{ url: "/" }],
    tags: [...new Set(publicRoutes.map((route) => route.tag))].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths: pathsOf(publicRoutes),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A JWT of your issuer, or an API key." },
      },
      schemas: Object.fromEntries(
        Object.entries(componentSchemas).map(([name, schema]) => [name, schemaOf(name, schema)]),
      ),
      headers: responseHeaders,
    },
  };
}

function pathsOf(routes: readonly PublicRoute[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(route);
  }
  return paths;
}

function operationOf(route: PublicRoute): Json {
  const responses: Json = {
    "200": {
      description: route.success.description,
      content: Object.fromEntries(
        Object.entries(route.success.content).map(([type, name]) => [
          type,
          { schema: contentSchema(type, name) },
        ]),
      ),
      ...(route.scopes !== null && { headers: headerReferences }),
    },
    "500": errorResponse("A fault of ours"),
  };
  for (const status of route.errors)
    responses[String(status)] = errorResponse(errorMeanings[status], status, route.errorSchema);
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-zA-Z0-9]+/g, "_").replace(/_$/, "")}`,
    tags: [route.tag],
    summary: route.summary,
    ...describedBy([route.description, route.scopes?.length === 0 ? costNotes[costOf(route)] : undefined]),
    security: securityOf(route.scopes),
    parameters: [
      ...Object.entries(route.pathParameters ?? {}).map(([name, description]) => ({
        name,
        in: "path",
        required: true,
        description,
        schema: { type: "string" },
      })),
      ...Object.entries(route.queryParameters ?? {}).map(([name, description]) => ({
        name,
        in: "query",
        required: false,
        description,
        schema: { type: "string" },
      })),
      ...(route.headers ?? []).map((name) => ({
        name,
        in: "header",
        required: false,
        description: requestHeaders[name],
        schema: { type: "string" },
      })),
    ],
    ...(route.request !== undefined && {
      requestBody: {
        required: true,
        content: {
          [route.request.mediaType ?? "application/json"]: {
            schema: reference(route.request.schema),
            example: route.request.example,
          },
        },
      },
    }),
    responses,
  };
}

function describedBy(sentences: readonly (string | undefined)[]): Json {
  const said = sentences.filter((sentence) => sentence !== undefined);
  return said.length === 0 ? {} : { description: said.join(" ") };
}

const costNotes: Readonly<Record<RouteCost, string | undefined>> = {
  turn: "Counts as a request, with its tokens and cost.",
  request: "Counts as a request, without tokens or cost.",
  free: undefined,
};

/** Alternatives: one scope is enough. */
function securityOf(scopes: PublicRoute["scopes"]): readonly Json[] {
  if (scopes === null) return [];
  return scopes.length === 0 ? [{ bearer: [] }] : scopes.map((scope) => ({ bearer: [scope] }));
}

function contentSchema(type: string, name: ComponentName | null): Json {
  if (name !== null) return reference(name);
  return type === "application/json" ? { type: "object" } : { type: "string" };
}

function reference(name: ComponentName): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function errorResponse(description: string, status?: ErrorStatus, schema: ComponentName = "Error"): Json {
  return {
    description,
    content: { "application/json": { schema: reference(schema) } },
    ...((status === 429 || status === 503) && {
      headers: {
        "Retry-After": { $ref: "#/components/headers/Retry-After" },
        "retry-after-ms": { $ref: "#/components/headers/retry-after-ms" },
      },
    }),
  };
}

/** The accepted form: of a schema that converts its input, the side before the conversion. */
function schemaOf(name: string, schema: z.ZodType): Json {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
  }) as Json;
  if (name === "ChatCompletionRequest") describeFields(converted["properties"] as Record<string, Json>);
  return converted;
}

function describeFields(properties: Record<string, Json>): void {
  for (const [field, property] of Object.entries(properties)) {
    const { origin, effect, note } = chatFieldRules[field as ChatField];
    const words = [
      note,
      effect === "none" ? "Accepted without effect." : "",
      origin === "OpenAI" ? "" : `(${origin})`,
    ];
    const description = words.filter((word) => word !== "").join(" ");
    if (description !== "") property["description"] = description;
  }
}

const errorMeanings: Readonly<Record<ErrorStatus, string>> = {
  400: "The body is wrong: not JSON, a field unknown, unsupported or out of bounds (`param` names it), or the prompt does not fit the model's window",
  401: "No credential, or not a valid one",
  403: "The credential lacks a scope, or the request is blocked",
  404: "There is no such model or object, or it is not yours",
  408: "The client went away",
  409: "It is not in a state for that",
  413: "The body is over the limit",
  415: "The body is not JSON",
  422: "The idempotency key was used with another body",
  429: "A rate or a quota is used up; the message names scope, limit, reset and the largest max_tokens that fits",
  503: "Overloaded, or a part of the service or every server of the model is down",
  504: "No answer is stored, and `Cache-Control: only-if-cached` asks for no other",
};

const requestHeaders: Readonly<Record<RequestHeader, string>> = {
  "x-request-id":
    "Your name for the request, in the answer and in the log: at most 128 visible ASCII characters.",
  traceparent: "W3C trace context; carried to the model's server.",
  "Cache-Control":
    "`no-cache`: don't answer from the cache. `no-store`: don't keep the answer either. `max-age`: no older answer, in seconds. " +
    "`only-if-cached`: a stored answer, which takes no tokens of any limit, or 504.",
  "Last-Event-ID": "The id of the last event that you saw: the stream goes on behind it.",
  "Idempotency-Key":
    "1 to 255 visible ASCII characters, yours alone. The same key and body again, for 24 hours after the end, attach to the " +
    "answer that is being written, or replay it from its first event, or behind `Last-Event-ID`: one answer, one bill, however it ended. The same key " +
    "with another body is 422. What is refused before it began to answer keeps nothing: the key may be used again.",
};

const text = { type: "string" };
const responseHeaders: Readonly<Record<string, Json>> = {
  "x-request-id": { description: "Names the request in our log.", schema: text },
  "x-ratelimit-limit-requests": { description: "Requests that the nearest limit allows.", schema: text },
  "x-ratelimit-remaining-requests": { description: "Requests left of it.", schema: text },
  "x-ratelimit-reset-requests": { description: "Until it is whole again, as 1s or 6m0s.", schema: text },
  "x-ratelimit-window-requests": {
    description: "Which limit that is, by scope and window: `user/requests_per_hour`.",
    schema: text,
  },
  "x-ratelimit-limit-tokens": { description: "Tokens that the nearest limit allows.", schema: text },
  "x-ratelimit-remaining-tokens": { description: "Tokens left of it.", schema: text },
  "x-ratelimit-reset-tokens": { description: "Until it is whole again, as 1s or 6m0s.", schema: text },
  "x-ratelimit-window-tokens": {
    description: "Which limit that is, by scope and window: `org/tokens_per_month`.",
    schema: text,
  },
  "Cache-Status": {
    description:
      "RFC 9211: whether the answer came from the cache. Of a durable turn `fwd=bypass; detail=durable`, since no cache is asked for one; " +
      "or, where it is claimed (`detail` is `idempotency-key`, `retry` or `dedup`), `fwd=miss` for the first and `hit` for who got the same turn.",
    schema: text,
  },
  "Server-Timing": { description: "Milliseconds by stage.", schema: text },
  "Retry-After": { description: "Seconds to wait.", schema: text },
  "retry-after-ms": { description: "Milliseconds to wait.", schema: text },
};
const headerReferences: Json = Object.fromEntries(
  Object.keys(responseHeaders)
    .filter((name) => !name.toLowerCase().startsWith("retry-after"))
    .map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);
