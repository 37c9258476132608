/** Is this body a request to create or change a conversation (`/v1/conversations`), and what does it contain? */
import * as z from "zod";
import type { AttachedFile } from "../attachments/read-attached.ts";
import { filesOfInput } from "../attachments/response-files.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { Item } from "../responses/item.ts";
import { messagesOf } from "../responses/messages.ts";
import type { ChatMessage } from "./chat-messages.ts";
import { shortenedFields } from "./json-bounds.ts";
import { parseJson } from "./parse-json.ts";
import { fileCountFault, imageCountFault } from "./responses-request.ts";
import { itemSequenceFault } from "./responses-item-order.ts";
import { itemSchema, readInput } from "./responses-items.ts";
import { metadataSchema, text } from "./schema-parts.ts";
import { maxTitleCharacters, tidyTitle } from "./tidy-title.ts";
import { refusalOfIssues, unsupportedParameter } from "./zod-refusal.ts";

/** Only for the documentation: src/shared/wire/responses-items.ts reads each item and names the field that is wrong. */
const itemsSchema = () => z.array(itemSchema).max(20);

const kinds =
  "messages of `user` and `assistant`, `function_call` with its `function_call_output`. Instructions are of their turn, and are " +
  "refused; `reasoning` is taken, since clients send whole answers, and is not kept.";

export const conversationCreationSchema = z.lazy(() =>
  z.strictObject({
    metadata: metadataSchema.nullish(),
    items: itemsSchema()
      .nullish()
      .meta({ description: `Up to 20 items to begin with: ${kinds}` }),
  }),
);

export const conversationItemsSchema = z.lazy(() =>
  z.strictObject({
    items: itemsSchema()
      .min(1)
      .meta({ description: `1 to 20 items: ${kinds}` }),
  }),
);

/** Checks only their number; readItems checks each item. */
const unreadItems = () => z.array(z.unknown()).max(20);
const creationShape = z.lazy(() =>
  z.strictObject({ metadata: metadataSchema.nullish(), items: unreadItems().nullish() }),
);
const additionShape = z.lazy(() => z.strictObject({ items: unreadItems().min(1) }));

const branchName = z.lazy(() => z.string().regex(/^br_\d{1,6}$/, "must be the id of a branch, such as br_0"));

export const conversationUpdateSchema = z.lazy(() =>
  z
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
    ),
);

/** Items as the messages that are stored for them. */
export interface SentItems {
  readonly items: readonly Item[];
  readonly messages: readonly ChatMessage[];
  /** In the order of the messages that have them. */
  readonly files: readonly AttachedFile[];
}

export interface ConversationCreation extends SentItems {
  readonly metadata: Readonly<Record<string, string>>;
}

export function parseConversationCreation(body: string): Result<ConversationCreation, Refusal> {
  const read = parse(creationShape, body);
  if (!read.ok) return read;
  const { metadata, items } = read.value;
  const sent = readItems(items ?? []);
  return sent.ok ? ok({ metadata: metadata ?? {}, ...sent.value }) : sent;
}

export function parseConversationItems(body: string): Result<SentItems, Refusal> {
  const read = parse(additionShape, body);
  return read.ok ? readItems(read.value.items) : read;
}

export interface ConversationChange {
  /** The complete new metadata. `null` removes it. */
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

/** `br_…` in a query; `null`: not a branch's name. */
export function parseBranchName(name: string): number | null {
  return branchName.safeParse(name).success ? Number(name.slice(3)) : null;
}

function readItems(given: readonly unknown[]): Result<SentItems, Refusal> {
  if (given.length === 0) return ok({ items: [], messages: [], files: [] });
  const items = readInput(given);
  if (!items.ok) return err(inItems(items.error));
  const fault =
    instructionFault(items.value) ??
    itemSequenceFault(items.value, false) ??
    imageCountFault(items.value) ??
    fileCountFault(items.value);
  if (fault !== null) return err(inItems(fault));
  // A conversation does not keep its own turns' reasoning, either.
  const kept = items.value.filter(({ type }) => type !== "reasoning");
  return ok({ items: items.value, messages: messagesOf(kept), files: filesOfInput(items.value, "items") });
}

/** Instructions are not stored, so accepting them would lose them silently. */
function instructionFault(items: readonly Item[]): Refusal | null {
  for (const [at, item] of items.entries()) {
    if (item.type !== "message" || item.role === "user" || item.role === "assistant") continue;
    return unsupportedParameter(
      `input[${at}].role`,
      `can't be '${item.role}': instructions are of their turn, and are sent with each`,
    );
  }
  return null;
}

function inItems(refusal: Refusal): Refusal {
  if (!("param" in refusal) || typeof refusal.param !== "string") return refusal;
  const param = refusal.param.replace(/^input/, "items");
  return "message" in refusal
    ? { ...refusal, param, message: refusal.message.replace(/^'input/, "'items") }
    : { ...refusal, param };
}

function parse<Schema extends z.ZodType>(schema: Schema, body: string): Result<z.output<Schema>, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = schema.safeParse(shortenedFields(json.value));
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, [], json.value));
}
