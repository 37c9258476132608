/** Which tools may a response be offered, how may their use be steered, and which form may its text take? In chat's words. */
import * as z from "zod";
import { flatName } from "../responses/function-names.ts";
import { boundedJsonObject } from "./json-bounds.ts";
import { retrievalShape } from "./retrieval-fields.ts";
import { requestLimits } from "./request-limits.ts";
import { flatToolName, text, toolName, unsupported, withoutEffect } from "./schema-parts.ts";

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

/** A group of functions, as Codex has those of an MCP server and of its agents. */
const namespaceTool = z.lazy(() =>
  z.strictObject({
    type: z.literal("namespace"),
    name: toolName,
    description: withoutEffect(text(requestLimits.descriptionCharacters).nullish()),
    tools: z.array(functionTool).min(1).max(requestLimits.tools),
  }),
);

export const responseToolSchema = z.lazy(() =>
  z.discriminatedUnion("type", [functionTool, namespaceTool, webSearchTool, fileSearchTool]),
);
export type ResponseTool = z.output<typeof responseToolSchema>;

export type FunctionTool = z.output<typeof functionTool>;
export type WebSearchTool = z.output<typeof webSearchTool>;

export function isFunctionTool(tool: ResponseTool): tool is FunctionTool {
  return tool.type === "function";
}

/** Whether it is the web search, under any of its names. */
export function isWebSearchTool(tool: ResponseTool): tool is WebSearchTool {
  return isWebSearchName(tool.type);
}

/** A function that is offered, also in a namespace: what the engine calls it, and where it stands in the request. */
interface OfferedFunction {
  readonly tool: FunctionTool;
  readonly flat: string;
  /** `tools[2]`, `tools[2].tools[0]` */
  readonly param: string;
}

export function functionsOf(tools: readonly ResponseTool[]): readonly OfferedFunction[] {
  return tools.flatMap((tool, at): readonly OfferedFunction[] => {
    const param = `tools[${at}]`;
    if (isFunctionTool(tool)) return [{ tool, flat: tool.name, param }];
    if (tool.type !== "namespace") return [];
    return tool.tools.map((one, place) => ({
      tool: one,
      flat: flatName({ name: one.name, namespace: tool.name }),
      param: `${param}.tools[${place}]`,
    }));
  });
}

const namedTool = z.lazy(() => z.strictObject({ type: z.literal("function"), name: flatToolName }));
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
