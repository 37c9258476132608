/**
 * Small schemas that several request schemas share, and how a schema says that it knows a field but will not take it.
 * Messages follow the field's name: "messages[0].content must be …".
 */
import * as z from "zod";
import { requestLimits } from "./request-limits.ts";

/**
 * Text that a tokenizer can read. Half a surrogate pair (a string cut in the middle of an emoji) is legal JSON but not
 * UTF-8, and engines answer it with 500.
 */
export function text(maxCharacters: number = requestLimits.contentCharacters) {
  return z
    .string()
    .max(maxCharacters)
    .refine((value) => value.isWellFormed(), "is not well-formed Unicode (half a surrogate pair)");
}

export const speakerName = z.lazy(() =>
  z
    .string()
    .min(1)
    .max(requestLimits.nameCharacters)
    .regex(/^[^\s<|\\/>]+$/, "may not hold blanks or any of < | \\ / >"),
);

const functionName = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[a-zA-Z0-9_-]+$/, "may hold only letters, digits, underscores and dashes");

export const toolName = z.lazy(() => functionName(requestLimits.nameCharacters));

/** Of a function that may be one of a namespace, with its namespace in front (`flatName`). */
export const flatToolName = z.lazy(() => functionName(2 * requestLimits.nameCharacters + 2));

export const opaqueId = z.lazy(() =>
  z
    .string()
    .min(1)
    .max(requestLimits.idCharacters)
    .regex(/^[^\u0000-\u001f\u007f]+$/, "may not hold control characters")
    .refine((value) => value.isWellFormed(), "is not well-formed Unicode (half a surrogate pair)"),
);

/** A caller's own name for a conversation. It must fit into a URL, by which it is read and deleted. */
export const conversationName = z.lazy(() =>
  opaqueId.refine(
    (value) => !/(?:^|[\\/])\.{1,2}(?:[\\/]|$)/.test(value),
    "may not be, nor hold between slashes, '.' or '..': no URL could name it",
  ),
);

/**
 * An integer of 64 bits. Above 2^53 JSON numbers lose their last digits: the same seed still gives the same number. The lowest
 * one is excluded: JSON would write it as a number below the range.
 */
export const int64 = z.lazy(() =>
  z
    .number()
    .min(-9_223_372_036_854_774_784)
    .max(9_223_372_036_854_774_784)
    .refine((value) => Number.isInteger(value), "must be an integer")
    .meta({ type: "integer" }),
);

/** A known field that accepts only null: anything else is refused as unsupported, with a helpful reason. */
export function unsupported(message: string) {
  return z
    .unknown()
    .refine((value) => value === null || value === undefined, { message, params: { unsupported: true } })
    .transform((): undefined => undefined)
    .optional()
    .meta({ type: "null", description: `Null only: ${message}.` });
}

/** Null counts as absent and is dropped. */
export function orAbsent<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
}

/** A known field, checked but without effect here, so it is dropped. */
export function withoutEffect(schema: z.ZodType) {
  return schema.transform((): undefined => undefined).optional();
}

export const metadataSchema = z.lazy(() =>
  z
    .record(z.string().max(requestLimits.metadataKeyCharacters), text(requestLimits.metadataValueCharacters))
    .refine((pairs) => Object.keys(pairs).length <= requestLimits.metadataPairs, {
      message: `may have at most ${requestLimits.metadataPairs} pairs`,
    }),
);

export const mostTokenId = 4_294_967_295;
export const tokenId = z.lazy(() => z.int().min(0).max(mostTokenId));

export const stopSchema = z.lazy(() =>
  z
    .union([
      text(requestLimits.stopCharacters).min(1),
      z.array(text(requestLimits.stopCharacters).min(1)).max(requestLimits.stops),
    ])
    .meta({ description: "Up to four sequences that end the answer, without appearing in it." }),
);

export const logitBiasSchema = z.lazy(() =>
  z
    .record(z.string().regex(/^\d{1,10}$/, "must be a token id"), z.number().min(-100).max(100))
    .refine((bias) => Object.keys(bias).length <= requestLimits.tokenIds, {
      message: `may have at most ${requestLimits.tokenIds} entries`,
    })
    .meta({ description: "Token id to a bias between -100 and 100." }),
);

export const streamOptionsSchema = z.lazy(() =>
  z
    .strictObject({
      include_usage: z
        .boolean()
        .nullish()
        .meta({ description: "One more chunk with the usage before [DONE]." }),
      include_obfuscation: z.boolean().nullish().meta({ description: "Without effect: nothing is padded." }),
    })
    .meta({ description: "Only with stream: true." }),
);

type NullishShape<Shape extends Record<string, z.ZodType>> = {
  [Key in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[Key]>>;
};

/** Makes every field optional, with null for absent, as OpenAI does. */
export function nullish<Shape extends Record<string, z.ZodType>>(shape: Shape): NullishShape<Shape> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [key, schema.nullish()]),
  ) as NullishShape<Shape>;
}
