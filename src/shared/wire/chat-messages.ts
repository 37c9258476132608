/**
 * Which messages may a chat request contain, and in which form are they used? It accepts OpenAI's forms and converts them to what
 * every engine's template knows: `developer` becomes `system`, a refusal becomes text, and fields without effect are left out.
 */
import * as z from "zod";
import type { FilePart } from "../prompt/file-part.ts";
import { isRecord } from "./is-record.ts";
import { jsonFault } from "./json-bounds.ts";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import {
  opaqueId,
  orAbsent,
  speakerName,
  text,
  toolName,
  unsupported,
  withoutEffect,
} from "./schema-parts.ts";
import { readSentFile, sentFileShape } from "./sent-file.ts";

/** Marks the end of a prefix that may be cached: OpenAI's form, and that of clients which also call Anthropic's models. */
const cacheMarks = lazyShape({
  prompt_cache_breakpoint: () =>
    withoutEffect(z.strictObject({ mode: z.literal("explicit").optional() }).nullable()),
  cache_control: () => withoutEffect(z.looseObject({ type: z.literal("ephemeral") }).nullable()),
});

const textPart = z.lazy(() =>
  z.strictObject({
    type: z.literal("text"),
    text: text(),
    ...cacheMarks,
  }),
);

const imagePart = z.lazy(() =>
  z.strictObject({
    type: z.literal("image_url"),
    image_url: z.strictObject({
      /** Checked by src/shared/wire/media.ts against the tenant's policy. */
      url: z.string().min(1),
      detail: orAbsent(z.enum(["auto", "low", "high"])),
    }),
    ...cacheMarks,
  }),
);

const audioPart = z.lazy(() =>
  z.strictObject({
    type: z.literal("input_audio"),
    input_audio: z.strictObject({ data: z.string().min(1), format: z.enum(["wav", "mp3"]) }),
    ...cacheMarks,
  }),
);

const filePart = z.lazy(() =>
  z.strictObject({
    type: z.literal("file"),
    file: z
      .strictObject({
        file_data: sentFileShape.file_data,
        file_id: sentFileShape.file_id,
        filename: sentFileShape.filename,
      })
      .transform(readSentFile),
    ...cacheMarks,
  }),
);

const refusalPart = z.lazy(() =>
  z
    .strictObject({ type: z.literal("refusal"), refusal: text() })
    .transform((part) => ({ type: "text" as const, text: part.refusal })),
);

function parts<Part extends z.ZodType>(part: Part) {
  return z.array(part).min(1).max(requestLimits.partsPerMessage);
}

const textContent = z.lazy(() => z.union([text(), parts(z.discriminatedUnion("type", [textPart]))]));
/** Also pictures, which OpenAI's chat does not accept here: a screenshot may be a result. */
const toolContent = z.lazy(() =>
  z.union([text(), parts(z.discriminatedUnion("type", [textPart, imagePart]))]),
);
const userContent = z.lazy(() =>
  z.union([text(), parts(z.discriminatedUnion("type", [textPart, imagePart, audioPart, filePart]))]),
);
const assistantContent = z.lazy(() =>
  z.union([text(), parts(z.discriminatedUnion("type", [textPart, refusalPart]))]),
);

/**
 * Arguments are JSON text as the model wrote it. Templates need an object, so engines refuse anything else; an empty string
 * means no arguments (streams of calls without any end like that).
 */
export const callArguments = z.lazy(() =>
  z
    .string()
    .max(requestLimits.jsonCharacters)
    .superRefine((value, context) => {
      if (value === "") return;
      const fault = argumentsFault(value);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .transform((value) => (value === "" ? "{}" : value)),
);

/** As in the message around it, other members are dropped. */
const functionCall = z.lazy(() =>
  z.object({
    id: opaqueId,
    type: z.literal("function"),
    function: z.object({ name: toolName, arguments: callArguments }),
  }),
);

/** A union of one member, so that a type which only OpenAI supports gets an error that says so. */
const toolCall = z.lazy(() => z.discriminatedUnion("type", [functionCall]));

const systemMessage = z.lazy(() =>
  z.strictObject({
    role: z.literal("system"),
    content: textContent,
    name: orAbsent(speakerName),
  }),
);

const developerMessage = z.lazy(() =>
  z.strictObject({
    role: z.literal("developer").transform(() => "system" as const),
    content: textContent,
    name: orAbsent(speakerName),
  }),
);

const userMessage = z.lazy(() =>
  z.strictObject({
    role: z.literal("user"),
    content: userContent,
    name: orAbsent(speakerName),
  }),
);

/**
 * An answer as a client sends it back, with what the client's library derived from it (`parsed`) or keeps there for itself
 * (`provider_specific_fields`). These mean nothing to a model and are dropped.
 */
const assistantMessage = z.lazy(() =>
  z
    .object({
      role: z.literal("assistant"),
      content: assistantContent.nullish(),
      refusal: text().nullish(),
      name: orAbsent(speakerName),
      tool_calls: z.array(toolCall).max(requestLimits.toolCallsPerMessage).nullish(),
      /** A reasoning model's earlier thoughts, as in our own answers. The template decides whether to show them again. */
      reasoning: text().nullish(),
      reasoning_content: text().nullish(),
      audio: unsupported("is not supported: this service gives no answers in sound to refer to"),
      function_call: unsupported("is not supported: use tool_calls, which replaced it"),
    })
    .transform((message, context) => {
      const calls = message.tool_calls ?? [];
      const content = message.content ?? message.refusal ?? null;
      if (content === null && calls.length === 0) {
        context.addIssue({
          code: "custom",
          path: ["content"],
          message: "is required for an assistant message without tool_calls",
        });
        return z.NEVER;
      }
      return {
        role: message.role,
        content,
        ...(message.name !== undefined && { name: message.name }),
        ...(calls.length > 0 && { tool_calls: calls }),
        ...(typeof message.reasoning === "string" && { reasoning: message.reasoning }),
        ...(typeof message.reasoning_content === "string" && {
          reasoning_content: message.reasoning_content,
        }),
      };
    }),
);

const toolMessage = z.lazy(() =>
  z.strictObject({
    role: z.literal("tool"),
    content: toolContent,
    tool_call_id: opaqueId,
    name: orAbsent(speakerName),
  }),
);

export const chatMessageSchema = z.lazy(() =>
  z.preprocess(
    asSent,
    z.discriminatedUnion("role", [
      developerMessage,
      systemMessage,
      userMessage,
      assistantMessage,
      toolMessage,
    ]),
  ),
);

/**
 * Turns a message of a stored completion (public-message.ts) into the form in which it was sent: `content_parts`, which only such a message
 * has, are its content, and its other members mean nothing to a model.
 */
function asSent(message: unknown): unknown {
  if (!isRecord(message) || !Object.hasOwn(message, "content_parts")) return message;
  const { id: _, refusal, content_parts: sentParts, ...sent } = message;
  return {
    ...sent,
    content: sent["content"] ?? sentParts,
    ...(refusal !== undefined && refusal !== null && { refusal }),
  };
}

type SentMessage = z.output<typeof chatMessageSchema>;
type SentUserMessage = Extract<SentMessage, { role: "user" }>;

/** A converted message: four roles; content is a string, parts, or null beside tool_calls. */
export type ChatMessage = Exclude<SentMessage, SentUserMessage> | UserMessage;
/** A part `file` stays one until the file is read (src/shared/attachments), which comes before everything else. */
export type UserContentPart = Exclude<SentUserMessage["content"], string>[number] | FilePart;
export type UserMessage = Omit<SentUserMessage, "content"> & { content: string | UserContentPart[] };
export type AssistantMessage = Extract<SentMessage, { role: "assistant" }>;

export const messagesSchema = z.lazy(() => z.array(chatMessageSchema).min(1).max(requestLimits.messages));

/** Most messages are a role and a string. This test takes a few dozen nanoseconds and never accepts what the schema refuses. */
export function isPlainMessage(
  value: unknown,
): value is { role: "system" | "user" | "assistant"; content: string } {
  if (typeof value !== "object" || value === null) return false;
  const { role, content } = value as { role?: unknown; content?: unknown };
  if (role !== "user" && role !== "assistant" && role !== "system") return false;
  if (typeof content !== "string" || content.length > requestLimits.contentCharacters) return false;
  let keys = 0;
  for (const _ in value) keys += 1;
  return keys === 2 && content.isWellFormed();
}

/**
 * A model's own arguments, in the form in which it sees them again. An answer may have been cut off in the middle of them, and some
 * models write something other than an object. Engines refuse the whole prompt for it, so that the conversation could never be
 * continued. Such a call gets no arguments. Complete arguments have no bound here: the model wrote them, so they fit its window.
 */
export function recalledArguments(text: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "{}";
  }
  return isRecord(parsed) && isSound(parsed, 1) ? text : "{}";
}

/** Whether every engine can traverse it and write it as UTF-8. */
function isSound(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (depth > requestLimits.jsonDepth) return false;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isSound(inner, depth + 1));
}

function argumentsFault(value: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return "must be a JSON object written as a string";
  }
  return isRecord(parsed) ? jsonFault(parsed) : "must be a JSON object written as a string";
}
