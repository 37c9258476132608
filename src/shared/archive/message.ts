/**
 * What travels through the archive's queue? JSON, checked when it is read, since the queue may hold messages of older and newer code. A
 * message is an API (docs/storage.md): fields are only ever added, and a reader accepts fields that it does not know.
 */
import * as z from "zod";
import type { Result } from "../contracts/result.ts";
import { err, ok } from "../contracts/result.ts";

export const archiveMessageVersion = 1;

const text = (max: number) => z.string().max(max);
const count = z.lazy(() => z.int().min(0));
const milliseconds = z.lazy(() => z.int().min(0).max(8_640_000_000_000_000));

const item = z.lazy(() => z.object({ type: text(64), role: text(64).nullable(), json: z.string() }));

/** Why a row has no content. `policy`: the tenant keeps none. `none`: there was none, as in a direct turn. */
const leftOut = z.enum(["jurisdiction", "policy", "too-large", "none"]);

const content = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("inline"), items: z.array(item).min(1) }),
    /** The items as JSON, in the bucket under this key. */
    z.object({ kind: z.literal("object"), key: text(512), bytes: count, items: count }),
    z.object({ kind: z.literal("left-out"), reason: leftOut }),
  ]),
);

const turnMessage = z.lazy(() =>
  z.object({
    v: z.literal(archiveMessageVersion),
    kind: z.literal("turn"),
    chargeId: text(128).min(1),
    tenant: text(64).min(1),
    org: text(128),
    user: text(256),
    tier: text(64),
    keyId: text(128).nullable(),
    way: z.enum(["direct", "durable"]),
    endpoint: text(128),
    responseId: text(128),
    conversation: text(128).nullable(),
    sequence: count.nullable(),
    status: z.enum(["completed", "incomplete", "failed", "cancelled"]),
    model: text(256).nullable(),
    cluster: text(256).nullable(),
    attempts: count.nullable(),
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count,
    reasoningTokens: count,
    basis: z.enum(["exact", "counted", "estimated"]),
    microdollars: count.nullable(),
    price: z
      .object({
        version: text(64),
        input: z.number().min(0),
        output: z.number().min(0),
        cached_input: z.number().min(0).optional(),
      })
      .nullable(),
    screened: text(1024).nullable(),
    guarded: text(1024).nullable(),
    createdMs: milliseconds,
    endedMs: milliseconds,
    content,
  }),
);
export type TurnMessage = z.infer<typeof turnMessage>;
export type MessageContent = TurnMessage["content"];

const eraseMessage = z.lazy(() =>
  z.object({
    v: z.literal(archiveMessageVersion),
    kind: z.literal("erase"),
    scope: z.enum(["conversation", "response", "user", "tenant"]),
    tenant: text(64).min(1),
    /** The conversation object's name, the response's id, the user; empty for a whole tenant. */
    key: text(256),
    /** Content of turns that began then or earlier. */
    beforeMs: milliseconds,
  }),
);
export type EraseMessage = z.infer<typeof eraseMessage>;

const archiveMessage = z.lazy(() => z.discriminatedUnion("kind", [turnMessage, eraseMessage]));
export type ArchiveMessage = z.infer<typeof archiveMessage>;

/** The error names the field's path, never its value: it goes to the log. */
export function readArchiveMessage(body: unknown): Result<ArchiveMessage, string> {
  const read = archiveMessage.safeParse(body);
  if (read.success) return ok(read.data);
  const [issue] = read.error.issues;
  return err(`${issue?.path.join(".") ?? ""}: ${issue?.code ?? "unreadable"}`);
}
