/**
 * Is this body a chat request, and which? Strict: unknown, unsupported or out-of-bounds fields are refused by name. It runs
 * on every request, so plain messages need no schema, and other fields only their own (field-reader.ts).
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type ChatField, chatShape, refusedChatFields } from "./chat-fields.ts";
import { type ChatMessage, chatMessageSchema, isPlainMessage } from "./chat-messages.ts";
import { crossFieldFault } from "./chat-rules.ts";
import { type FieldTable, parseFields } from "./field-reader.ts";
import { makersOf } from "./lazy-shape.ts";
import { normaliseChat } from "./normalise-chat.ts";
import { requestLimits } from "./request-limits.ts";
import { nullish } from "./schema-parts.ts";
import type { ToolChoice } from "./tools.ts";
import { invalidValue, refusalOfIssues } from "./zod-refusal.ts";

type Optional = Exclude<ChatField, "model" | "messages">;

/** The request as sent; each field and their combination are checked. */
export type SentChatRequest = {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
} & { readonly [Field in Optional]?: z.output<(typeof chatShape)[Field]> };

/**
 * A checked request in the form that engines know (chat-messages.ts, normalise-chat.ts). Fields that were null are
 * absent, and so are meaningless ones, such as an empty list of tools.
 */
export type ChatRequest = Omit<SentChatRequest, "tool_choice"> & {
  readonly tool_choice?: Exclude<ToolChoice, { type: "allowed_tools" }>;
};

/** The same as one schema, for the documentation and for tests that compare the parser with it. */
export const chatRequestSchema = z.lazy(() => {
  const { model, messages, ...optional } = chatShape;
  return z.strictObject({ model, messages, ...nullish(optional) });
});

const table: FieldTable = {
  schemas: makersOf(chatShape),
  refused: new Map(Object.entries(refusedChatFields)),
  required: ["model", "messages"],
  readers: new Map([["messages", readMessages]]),
};

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseChatRequest(body: string): Result<ChatRequest, Refusal> {
  const read = parseFields(body, table);
  if (!read.ok) return read;
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  const sent = read.value as unknown as SentChatRequest;
  const fault = crossFieldFault(sent);
  return fault === null ? ok(normaliseChat(sent)) : err(fault);
}

function readMessages(given: unknown): Result<readonly ChatMessage[], Refusal> {
  if (!Array.isArray(given)) return err(invalidValue("messages", "must be an array"));
  if (given.length === 0) return err(invalidValue("messages", "must have at least 1 item"));
  if (given.length > requestLimits.messages)
    return err(invalidValue("messages", `must have at most ${requestLimits.messages} items`));
  for (let at = 0; at < given.length; at += 1) {
    const message: unknown = given[at];
    if (isPlainMessage(message)) continue;
    const parsed = chatMessageSchema.safeParse(message);
    if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, ["messages", at], message));
    given[at] = parsed.data;
  }
  return ok(given as readonly ChatMessage[]);
}
