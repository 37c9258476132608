/** Which tools may a request offer, and how may it steer their use? */
import * as z from "zod";
import { boundedJsonObject } from "./json-bounds.ts";
import { requestLimits } from "./request-limits.ts";
import { orAbsent, text, toolName, unsupported } from "./schema-parts.ts";

export const toolSchema = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("function"),
      function: z.strictObject({
        name: toolName,
        description: text(requestLimits.descriptionCharacters).nullish(),
        parameters: boundedJsonObject.nullish(),
        strict: z.boolean().nullish(),
      }),
      name: unsupported(
        "belongs to /v1/responses: a function's name, description and parameters stand in 'function' here",
      ),
    }),
  ]),
);

export const toolChoiceSchema = z.lazy(() => {
  const namedTool = z.strictObject({
    type: z.literal("function"),
    function: z.strictObject({ name: toolName }),
  });
  return z.union([
    z.enum(["none", "auto", "required"]),
    z.discriminatedUnion("type", [
      namedTool,
      z.strictObject({
        type: z.literal("allowed_tools"),
        allowed_tools: z.strictObject({
          mode: z.enum(["auto", "required"]),
          tools: z.array(namedTool).min(1).max(requestLimits.tools),
        }),
      }),
    ]),
  ]);
});
export type ToolChoice = z.output<typeof toolChoiceSchema>;

export const responseFormatSchema = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: toolName,
        description: text(requestLimits.descriptionCharacters).nullish(),
        schema: orAbsent(boundedJsonObject),
        strict: z.boolean().nullish(),
      }),
    }),
  ]),
);
export type ResponseFormat = z.output<typeof responseFormatSchema>;

/** vLLM's own constraints on an answer, for what JSON Schema can't express. Exactly one of them. */
export const structuredOutputsSchema = z.lazy(() =>
  z
    .strictObject({
      json: boundedJsonObject.optional(),
      json_object: z.literal(true).optional(),
      regex: text(requestLimits.regexCharacters).min(1).optional(),
      choice: z.array(text(requestLimits.stopCharacters).min(1)).min(1).max(requestLimits.choices).optional(),
      grammar: text(requestLimits.grammarCharacters).min(1).optional(),
    })
    .refine((value) => Object.values(value).filter((one) => one !== undefined).length === 1, {
      message: "must hold exactly one of json, json_object, regex, choice, grammar",
    }),
);
