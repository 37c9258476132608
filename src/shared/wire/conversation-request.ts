/** Is this body a request to make or change a conversation (`/v1/conversations`), and what does it hold? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ChatMessage } from "./chat-messages.ts";
import { requestLimits } from "./request-limits.ts";
import { metadataSchema, text } from "./schema-parts.ts";
import { maxTitleCharacters, tidyTitle } from "./tidy-title.ts";
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

const itemsSchema = z.array(itemSchema).max(20);

export const conversationCreationSchema = z.strictObject({
  metadata: metadataSchema.nullish(),
  items: itemsSchema
    .nullish()
    .meta({ description: "Up to 20 messages of `user` and `assistant`, as text, to begin with." }),
});

export const conversationItemsSchema = z.strictObject({
  items: itemsSchema.min(1).meta({ description: "1 to 20 messages of `user` and `assistant`, as text." }),
});

const branchName = z.string().regex(/^br_\d{1,6}$/, "must be the id of a branch, such as br_0");

export const conversationUpdateSchema = z
  .strictObject({
    metadata: metadataSchema.nullable().optional(),
    title: text(maxTitleCharacters)
      .min(1)
      .nullable()
      .optional()
      .meta({ description: "Ours: null takes yours away." }),
    active_branch: branchName
      .optional()
      .meta({ description: "Ours: the branch that turns go on, and that is listed." }),
  })
  .refine(
    ({ metadata, title, active_branch: branch }) =>
      metadata !== undefined || title !== undefined || branch !== undefined,
    { path: ["metadata"], message: "is required, unless title or active_branch is sent" },
  );

export interface ConversationCreation {
  readonly metadata: Readonly<Record<string, string>>;
  readonly messages: readonly ChatMessage[];
}

export function parseConversationCreation(body: string): Result<ConversationCreation, Refusal> {
  const read = parse(conversationCreationSchema, body);
  if (!read.ok) return read;
  const { metadata, items } = read.value;
  return ok({ metadata: metadata ?? {}, messages: messagesOf(items ?? []) });
}

export function parseConversationItems(body: string): Result<readonly ChatMessage[], Refusal> {
  const read = parse(conversationItemsSchema, body);
  return read.ok ? ok(messagesOf(read.value.items)) : read;
}

export interface ConversationChange {
  /** As they shall be: all of them. `null` takes them away. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly title?: string | null;
  readonly branch?: number;
}

export function parseConversationUpdate(body: string): Result<ConversationChange, Refusal> {
  const read = parse(conversationUpdateSchema, body);
  if (!read.ok) return read;
  const { metadata, title, active_branch: branch } = read.value;
  return ok({
    ...(metadata === undefined ? {} : { metadata: metadata ?? {} }),
    ...(title === undefined ? {} : { title: title === null ? null : tidyTitle(title) }),
    ...(branch === undefined ? {} : { branch: Number(branch.slice(3)) }),
  });
}

/** `br_…` in a query; `null`: no such name. */
export function parseBranchName(name: string): number | null {
  return branchName.safeParse(name).success ? Number(name.slice(3)) : null;
}

function messagesOf(items: z.output<typeof itemsSchema>): ChatMessage[] {
  return items.map(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : content.map((each) => each.text).join(""),
  }));
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
