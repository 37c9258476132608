/**
 * What may a client say on a socket? OpenAI's `response.create`, and two of ours: `response.resume`, which continues after the last event
 * that was seen, and `session.ack`, which only says that the client has read so far.
 */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { isRecord } from "../wire/is-record.ts";
import type { JsonObject } from "../wire/json-bounds.ts";
import { parseJson } from "../wire/parse-json.ts";
import { readResponseRequest, type SentResponseRequest } from "../wire/responses-request.ts";
import { opaqueId } from "../wire/schema-parts.ts";
import { invalidValue, refusalOfIssues, unsupportedParameter } from "../wire/zod-refusal.ts";

const streamId = z.lazy(() =>
  z
    .string()
    .min(1)
    .max(256)
    .regex(/^[A-Za-z0-9_.-]+$/, "may hold only letters, digits, and . _ -"),
);

const resumeSchema = z.lazy(() =>
  z.strictObject({
    type: z.literal("response.resume"),
    stream_id: streamId.nullish(),
    response_id: opaqueId,
    starting_after: z.int().min(-1).nullish(),
  }),
);

const ackSchema = z.lazy(() => z.strictObject({ type: z.literal("session.ack") }));

export type ClientEvent =
  | { readonly type: "create"; readonly lane: string | null; readonly request: SentResponseRequest }
  | {
      readonly type: "resume";
      readonly lane: string | null;
      readonly responseId: string;
      /** The first event wanted. */
      readonly from: number;
    }
  | { readonly type: "ack" };

/** What is wrong, and in which lane; `null`: in none that is known. */
export interface EventRefused {
  readonly refusal: Refusal;
  readonly lane: string | null;
}

export function readClientEvent(text: string): Result<ClientEvent, EventRefused> {
  const json = parseJson(text);
  if (!json.ok) return err({ refusal: json.error, lane: null });
  const { value } = json;
  if (!isRecord(value)) return err({ refusal: invalidValue(null, "must be a JSON object"), lane: null });
  const lane = streamId.safeParse(value["stream_id"]);
  const known = lane.success ? lane.data : null;
  const read = readByType(value);
  return read.ok ? read : err({ refusal: read.error, lane: known });
}

function readByType(value: JsonObject): Result<ClientEvent, Refusal> {
  switch (value["type"]) {
    case "response.create":
      return readCreate(value);
    case "response.resume": {
      const parsed = resumeSchema.safeParse(value);
      if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [], value));
      const { stream_id, response_id, starting_after } = parsed.data;
      const from = (starting_after ?? -1) + 1;
      return ok({ type: "resume", lane: stream_id ?? null, responseId: response_id, from });
    }
    case "session.ack": {
      const parsed = ackSchema.safeParse(value);
      return parsed.success ? ok({ type: "ack" }) : err(refusalOfIssues(parsed.error.issues, [], value));
    }
    default:
      return err(invalidValue("type", "must be one of 'response.create', 'response.resume', 'session.ack'"));
  }
}

function readCreate(value: JsonObject): Result<ClientEvent, Refusal> {
  const { type: _type, stream_id: lane, stream, background, ...fields } = value;
  const parsedLane = streamId.nullish().safeParse(lane);
  if (!parsedLane.success) return err(refusalOfIssues(parsedLane.error.issues, ["stream_id"], lane));
  if (background === true)
    return err(unsupportedParameter("background", "is not supported on a socket: send POST /v1/responses"));
  if (background !== undefined && background !== null && background !== false)
    return err(invalidValue("background", "must be true or false"));
  if (stream === false)
    return err(invalidValue("stream", "can't be false: a socket streams, and needs no such field"));
  const request = readResponseRequest({ ...fields, stream: true });
  if (!request.ok) return request;
  return ok({ type: "create", lane: parsedLane.data ?? null, request: request.value });
}
