/** Which tools may a response be offered, how may their use be steered, and which form may its text take? In chat's words. */
import * as z from "zod";
import { boundedJsonObject } from "./json-bounds.ts";
import { retrievalShape } from "./retrieval-fields.ts";
import { requestLimits } from "./request-limits.ts";
import { text, toolName, unsupported, withoutEffect } from "./schema-parts.ts";

const functionTool = z.lazy(() =>
  z.strictObject({
    type: z.literal("function"),
    name: toolName,
    description: text(requestLimits.descriptionCharacters).nullish(),
    parameters: boundedJsonObject.nullish(),
    strict: z.boolean().nullish(),
    function: unsupported(
      "belongs to /v1/chat/completions: its name, description and parameters stand beside 'type' here",
    ),
    output_schema: unsupported("is not supported: describe what comes back in 'description'"),
    defer_loading: unsupported("is not supported: every tool is shown to the model"),
    allowed_callers: unsupported("is not supported"),
  }),
);

/** OpenAI's names for the same tool. */
const webSearchNames = [
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
] as const;

export function isWebSearchName(kind: unknown): boolean {
  return (webSearchNames as readonly unknown[]).includes(kind);
}

/** Works only if the tenant has a search service; fields without effect are accepted too. */
const webSearchTool = z.lazy(() =>
  z.strictObject({
    type: z.enum(webSearchNames),
    search_context_size: z.enum(["low", "medium", "high"]).nullish(),
    filters: z
      .strictObject({
        allowed_domains: z
          .array(z.string().regex(/^[a-z0-9.-]{1,253}$/, "holds something else than a domain in lower case"))
          .max(100)
          .nullish(),
      })
      .nullish(),
    user_location: withoutEffect(z.looseObject({}).nullish()),
    external_web_access: z.literal(true, "must be true: nothing of the web is kept here").nullish(),
    search_content_types: withoutEffect(z.array(z.string().max(64)).max(8).nullish()),
  }),
);

const fileSearchTool = z.lazy(() => z.strictObject({ type: z.literal("file_search"), ...retrievalShape }));

export const responseToolSchema = z.lazy(() =>
  z.discriminatedUnion("type", [functionTool, webSearchTool, fileSearchTool]),
);
export type ResponseTool = z.output<typeof responseToolSchema>;

export type FunctionTool = z.output<typeof functionTool>;
export type WebSearchTool = z.output<typeof webSearchTool>;

export function isFunctionTool(tool: ResponseTool): tool is FunctionTool {
  return tool.type === "function";
}

/** Whether it is the web search, under any of its names. */
export function isWebSearchTool(tool: ResponseTool): tool is WebSearchTool {
  return tool.type !== "function" && tool.type !== "file_search";
}

const namedTool = z.lazy(() => z.strictObject({ type: z.literal("function"), name: toolName }));
const hostedTool = z.lazy(() => z.strictObject({ type: z.literal("file_search") }));

export const responseToolChoiceSchema = z.lazy(() =>
  z.union([
    z.enum(["none", "auto", "required"]),
    z.discriminatedUnion("type", [
      namedTool,
      hostedTool,
      z.strictObject({
        type: z.literal("allowed_tools"),
        mode: z.enum(["auto", "required"]),
        tools: z
          .array(z.discriminatedUnion("type", [namedTool, hostedTool]))
          .min(1)
          .max(requestLimits.tools),
      }),
    ]),
  ]),
);

export const responseTextSchema = z.lazy(() =>
  z.strictObject({
    format: z
      .discriminatedUnion("type", [
        z.strictObject({ type: z.literal("text") }),
        z.strictObject({ type: z.literal("json_object") }),
        z.strictObject({
          type: z.literal("json_schema"),
          name: toolName,
          description: text(requestLimits.descriptionCharacters).nullish(),
          schema: boundedJsonObject,
          strict: z.boolean().nullish(),
          json_schema: unsupported(
            "belongs to /v1/chat/completions: its name and schema stand beside 'type' here",
          ),
        }),
      ])
      .nullish(),
    verbosity: z.enum(["low", "medium", "high"]).nullish(),
  }),
);
