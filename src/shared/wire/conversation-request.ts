/** Is this body a request to make or change a conversation (`/v1/conversations`), and what does it hold? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatMessage } from "./chat-messages.ts";
import { requestLimits } from "./request-limits.ts";
import { metadataSchema, text } from "./schema-parts.ts";
import { refusalOfIssues } from "./zod-refusal.ts";

const part = z.strictObject({ type: z.enum(["input_text", "output_text", "text"]), text: text() });

/**
 * Messages of user and assistant, as text. Instructions are of their turn: a client sends them each time. Calls and media
 * come to be in a conversation by its turns alone, which check them together.
 */
const itemSchema = z.strictObject({
  type: z.literal("message").nullish(),
  role: z.enum(["user", "assistant"]),
  content: z.union([text().min(1), z.array(part).min(1).max(requestLimits.partsPerMessage)]),
  status: z.enum(["in_progress", "completed", "incomplete"]).nullish(),
  id: z.string().max(requestLimits.idCharacters).nullish(),
});

export const conversationCreationSchema = z.strictObject({
  metadata: metadataSchema.nullish(),
  items: z
    .array(itemSchema)
    .max(20)
    .nullish()
    .meta({ description: "Up to 20 messages of `user` and `assistant`, as text, to begin with." }),
});

export const conversationUpdateSchema = z.strictObject({ metadata: metadataSchema.nullable() });

export interface ConversationCreation {
  readonly metadata: Readonly<Record<string, string>>;
  readonly messages: readonly ChatMessage[];
}

export function parseConversationCreation(body: string): Result<ConversationCreation, Refusal> {
  const read = parse(conversationCreationSchema, body);
  if (!read.ok) return read;
  const { metadata, items } = read.value;
  const messages = (items ?? []).map(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : content.map((each) => each.text).join(""),
  }));
  return ok({ metadata: metadata ?? {}, messages });
}

/** The metadata as they shall be: all of them. `null` takes them away. */
export function parseConversationUpdate(body: string): Result<Readonly<Record<string, string>>, Refusal> {
  const read = parse(conversationUpdateSchema, body);
  return read.ok ? ok(read.value.metadata ?? {}) : read;
}

function parse<Schema extends z.ZodType>(schema: Schema, body: string): Result<z.output<Schema>, Refusal> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return err({ kind: "json-invalid" });
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, [], value));
}
