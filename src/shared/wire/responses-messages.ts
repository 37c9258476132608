/** The messages that the input of a response may contain: from a user, a developer or the system, and answers sent back. */
import * as z from "zod";
import type { Item } from "../responses/item.ts";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { opaqueId, text, unsupported, withoutEffect } from "./schema-parts.ts";
import { readSentFile, sentFileShape } from "./sent-file.ts";

const status = z.lazy(() => z.enum(["in_progress", "completed", "incomplete"]).nullish());
/** Clients send items back as they got them. */
export const sentBack = lazyShape({
  id: () => withoutEffect(opaqueId.nullish()),
  status: () => withoutEffect(status),
});
const cacheBreakpoint = z.lazy(() =>
  withoutEffect(z.strictObject({ mode: z.literal("explicit").optional() }).nullish()),
);

export const inputText = z.lazy(() =>
  z.strictObject({
    type: z.literal("input_text"),
    text: text(),
    prompt_cache_breakpoint: cacheBreakpoint,
  }),
);

export const inputImage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("input_image"),
      /** Checked by media.ts against the tenant's policy. */
      image_url: z.string().min(1),
      detail: z.enum(["auto", "low", "high", "original"]).nullish(),
      file_id: unsupported("is not supported: send the image as a data: URL in image_url"),
      prompt_cache_breakpoint: cacheBreakpoint,
    })
    .transform(({ type, image_url, detail }) => ({
      type,
      image_url,
      // Engines know three values; the highest keeps the image unchanged.
      detail: detail === "original" ? ("high" as const) : (detail ?? ("auto" as const)),
    })),
);

const inputFile = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("input_file"),
      ...sentFileShape,
      file_url: unsupported(
        "is not supported: nothing is fetched for a request; send the file's bytes as 'file_data', or upload it and send its 'file_id'",
      ),
      prompt_cache_breakpoint: cacheBreakpoint,
    })
    .transform((part, context) => ({ type: "sent_file" as const, file: readSentFile(part, context) })),
);

const outputText = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("output_text"),
      text: text(),
      annotations: withoutEffect(z.array(z.unknown()).nullish()),
      logprobs: withoutEffect(z.array(z.unknown()).nullish()),
      parsed: withoutEffect(z.unknown()),
    })
    .transform((part) => ({ type: part.type, text: part.text, annotations: [], logprobs: [] })),
);

const outputRefusal = z.lazy(() => z.strictObject({ type: z.literal("refusal"), refusal: text() }));

export function parts<Part extends z.ZodType>(part: Part) {
  return z.array(part).min(1).max(requestLimits.partsPerMessage);
}

const phase = z.lazy(() => withoutEffect(z.enum(["commentary", "final_answer"]).nullish()));

export const inputMessage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("message").nullish(),
      role: z.enum(["user", "system", "developer"]),
      content: z.union([text(), parts(z.discriminatedUnion("type", [inputText, inputImage, inputFile]))]),
      phase,
      ...sentBack,
    })
    .superRefine(({ role, content }, context) => {
      if (role === "user" || typeof content === "string") return;
      const at = content.findIndex((part) => part.type !== "input_text");
      if (at !== -1)
        context.addIssue({
          code: "custom",
          path: ["content", at, "type"],
          message: `may be '${content[at]?.type === "input_image" ? "input_image" : "input_file"}' in messages of the user alone`,
        });
    })
    .transform(({ role, content }) => ({
      type: "message" as const,
      role,
      status: "completed" as const,
      content: typeof content === "string" ? [{ type: "input_text" as const, text: content }] : content,
    })),
);

export const outputMessage = z.lazy(() =>
  z
    .strictObject({
      type: z.literal("message").nullish(),
      role: z.literal("assistant"),
      // Some clients send an answer back in input's form.
      content: z.union([text(), parts(z.discriminatedUnion("type", [outputText, outputRefusal, inputText]))]),
      phase,
      ...sentBack,
    })
    .transform(({ role, content }) => ({
      type: "message" as const,
      role,
      status: "completed" as const,
      content: typeof content === "string" ? [spokenText(content)] : content.map(spokenPart),
    })),
);

export function userText(value: string): Item {
  return {
    type: "message",
    role: "user",
    status: "completed",
    content: [{ type: "input_text", text: value }],
  };
}

function spokenText(value: string) {
  return { type: "output_text" as const, text: value, annotations: [], logprobs: [] };
}

function spokenPart(part: z.output<typeof outputText | typeof outputRefusal | typeof inputText>) {
  return part.type === "input_text" ? spokenText(part.text) : part;
}
