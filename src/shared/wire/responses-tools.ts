/** Which tools may a response be offered, how may their use be steered, and which form may its text take? In chat's words. */
import * as z from "zod";
import { boundedJsonObject } from "./json-bounds.ts";
import { retrievalShape } from "./retrieval-fields.ts";
import { requestLimits } from "./request-limits.ts";
import { text, toolName, unsupported } from "./schema-parts.ts";

const functionTool = z.strictObject({
  type: z.literal("function"),
  name: toolName,
  description: text(requestLimits.descriptionCharacters).nullish(),
  parameters: boundedJsonObject.nullish(),
  strict: z.boolean().nullish(),
  output_schema: unsupported("is not supported: describe what comes back in 'description'"),
  defer_loading: unsupported("is not supported: every tool is shown to the model"),
  allowed_callers: unsupported("is not supported"),
});

const fileSearchTool = z.strictObject({ type: z.literal("file_search"), ...retrievalShape });

export const responseToolSchema = z.discriminatedUnion("type", [functionTool, fileSearchTool]);
export type ResponseTool = z.output<typeof responseToolSchema>;

const namedTool = z.strictObject({ type: z.literal("function"), name: toolName });
const hostedTool = z.strictObject({ type: z.literal("file_search") });

export const responseToolChoiceSchema = z.union([
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
]);

export const responseTextSchema = z.strictObject({
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
      }),
    ])
    .nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
});
