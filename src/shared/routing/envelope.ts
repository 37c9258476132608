/**
 * How does a dispatch travel between the edge Worker and the router Worker? The request's fields in one header, its body as the
 * body; the response is either the engine's bytes with the replica's name, or a tagged failure in a header. Headers, so that neither side
 * parses or copies a body; ASCII JSON, since headers carry nothing else. The two are deployed one after the other: fields that only newer code
 * sends are dropped by older code, never refused.
 */
import * as z from "zod";
import { ok, err, type Result } from "../contracts/result.ts";
import type { OriginFailure, OriginOutcome, OriginRequest } from "./ports.ts";

export const dispatchHeader = "x-edgewise-dispatch";
export const answerHeader = "x-edgewise-answer";
export const failureHeader = "x-edgewise-failure";

/** 64 clusters with the longest ids fit. */
const maxEnvelopeBytes = 12_288;

const placeSchema = z.lazy(() =>
  z.object({
    country: z.string().max(64).exactOptional(),
    colo: z.string().max(64).exactOptional(),
    latitude: z.number().exactOptional(),
    longitude: z.number().exactOptional(),
  }),
);

const dispatchSchema = z.lazy(() =>
  z.object({
    requestId: z.string().max(128),
    traceparent: z.string().max(128),
    clusters: z.array(z.string().max(128)).max(64).readonly(),
    model: z.string().max(128),
    path: z.enum(["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank", "/tokenize"]),
    stream: z.boolean(),
    tenant: z.string().max(128),
    tier: z.string().max(32),
    tokens: z.number().min(0),
    promptTokens: z.number().min(0),
    affinity: z
      .strictObject({
        keys: z.array(z.int().min(0)).min(1).max(8).readonly(),
        conversationAt: z.int().min(0),
      })
      .nullable(),
    place: placeSchema,
    deadlineMs: z.number().positive(),
    hedge: z.boolean().exactOptional(),
    yields: z.literal(true).exactOptional(),
    goesOnFrom: z
      .array(z.object({ cluster: z.string().max(128), replica: z.string().max(128) }).readonly())
      .min(1)
      .max(8)
      .readonly()
      .exactOptional(),
    shadow: z.literal(true).exactOptional(),
  }),
);
type DispatchEnvelope = z.infer<typeof dispatchSchema>;

const answerSchema = z.lazy(() =>
  z.object({
    cluster: z.string(),
    replica: z.string(),
    attempts: z.int(),
    tried: z.string().exactOptional(),
    /** Names this answer for a later outcome. */
    token: z.string(),
  }),
);
export type AnswerEnvelope = z.infer<typeof answerSchema>;

const retryAfterMs = z.lazy(() => z.number().min(0));
const failureSchema: z.ZodType<OriginFailure> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("origin-rejected"), status: z.int(), detail: z.string() }),
    z.object({ kind: z.literal("origin-unavailable"), retryAfterMs, detail: z.string() }),
    z.object({ kind: z.literal("overloaded"), retryAfterMs }),
    z.object({ kind: z.literal("client-gone") }),
    z.object({
      kind: z.literal("context-too-long"),
      windowTokens: z.int(),
      promptTokens: z.int(),
      answerTokens: z.int(),
    }),
  ]),
);

const outcomeSchema = z.enum(["done", "client-gone", "origin-error", "stalled"]);

/** The header of a dispatch. Throws where it would not fit: the edge bounds every field far below. */
export function writeDispatch({ body: _body, ...envelope }: OriginRequest): string {
  const text = asciiJson(envelope satisfies DispatchEnvelope);
  if (text.length > maxEnvelopeBytes) throw new RangeError("the dispatch envelope is too large");
  return text;
}

export function readDispatch(text: string | null): Result<DispatchEnvelope, string> {
  return read(dispatchSchema, text);
}

export function writeAnswer(envelope: AnswerEnvelope): string {
  return asciiJson(envelope);
}

export function readAnswer(text: string | null): Result<AnswerEnvelope, string> {
  return read(answerSchema, text);
}

export function writeFailure(failure: OriginFailure): string {
  return asciiJson(failure);
}

export function readFailure(text: string | null): Result<OriginFailure, string> {
  return read(failureSchema, text);
}

export function readOutcome(text: string): OriginOutcome | null {
  return outcomeSchema.safeParse(text).data ?? null;
}

/** The status beside the failure header, for people who look at the traffic; the edge goes by the header. */
export function failureStatus(failure: OriginFailure): number {
  switch (failure.kind) {
    case "origin-rejected":
    case "context-too-long":
      return 422;
    case "overloaded":
    case "origin-unavailable":
      return 503;
    case "client-gone":
      return 499;
  }
}

function read<T>(schema: z.ZodType<T>, text: string | null): Result<T, string> {
  if (text === null || text.length > maxEnvelopeBytes) return err("envelope missing or too large");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err("envelope is not JSON");
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(z.prettifyError(parsed.error));
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
