/**
 * Is this body a chat request, and which? Strict: what is unknown, impossible or out of bounds is refused with the field's
 * name. It runs on every request, so it costs what is in the body, not what could be: only fields that are there
 * meet their schema (a zod object of seventy optional fields asks for each of them), and plain messages meet none.
 * Duplicate keys need no care: the last one counts, and what goes on is written anew from what was read.
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { type ChatField, chatShape, refusedChatFields } from "./chat-fields.ts";
import { type ChatMessage, chatMessageSchema, isPlainMessage } from "./chat-messages.ts";
import { crossFieldFault } from "./chat-rules.ts";
import { isJsonObject } from "./json-bounds.ts";
import { requestLimits } from "./request-limits.ts";
import { invalidValue, refusalOfIssues, unsupportedParameter } from "./zod-refusal.ts";

type Optional = Exclude<ChatField, "model" | "messages">;

/** A checked request. Fields that were null are absent; messages are in the form that goes on (chat-messages.ts). */
export type ChatRequest = {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
} & { readonly [Field in Optional]?: z.output<(typeof chatShape)[Field]> };

type NullishShape<Shape extends z.ZodRawShape> = {
  [Key in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[Key] extends z.ZodType ? Shape[Key] : never>>;
};
const { model, messages, ...optional } = chatShape;

/** The same as one schema: for the documentation, and as the slow twin that tests hold the parser against. */
export const chatRequestSchema = z.strictObject({ model, messages, ...nullish(optional) });

const schemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(chatShape));
const refused = new Map(Object.entries(refusedChatFields));

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseChatRequest(body: string): Result<ChatRequest, Refusal> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return err({ kind: "json-invalid" });
  }
  return readChatRequest(value);
}

/** As `parseChatRequest`, for a body that is parsed already. */
export function readChatRequest(value: unknown): Result<ChatRequest, Refusal> {
  if (!isJsonObject(value)) return err(invalidValue(null, "must be a JSON object"));
  const request: Record<string, unknown> = {};
  for (const key in value) {
    const given = value[key];
    const schema = schemas.get(key);
    if (schema === undefined) {
      const known = refused.get(key);
      if (known === undefined) return err({ kind: "parameter-unknown", param: key });
      if (given !== null) return err(unsupportedParameter(key, known.message));
      continue;
    }
    if (given === null) continue;
    if (key === "messages") {
      const read = readMessages(given);
      if (!read.ok) return read;
      request[key] = read.value;
      continue;
    }
    const parsed = schema.safeParse(given);
    if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [key], given));
    request[key] = parsed.data;
  }
  if (request["model"] === undefined) return err(invalidValue("model", "is required"));
  if (request["messages"] === undefined) return err(invalidValue("messages", "is required"));
  // Each field was checked by its own schema; TypeScript can't follow that through a map.
  const checked = request as unknown as ChatRequest;
  const fault = crossFieldFault(checked);
  return fault === null ? ok(checked) : err(fault);
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

function nullish<Shape extends Record<string, z.ZodType>>(shape: Shape): NullishShape<Shape> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => [key, schema.nullish()]),
  ) as NullishShape<Shape>;
}
