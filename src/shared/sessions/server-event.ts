/** The events that a socket sends besides those of a journal. */
import type { Refusal } from "../contracts/refusal.ts";
import { toWireError } from "../wire/errors.ts";

/** OpenAI's error event of a socket, with the status that the same request would have had over HTTP. */
export function errorEvent(refusal: Refusal, requestId: string, lane: string | null): string {
  const { status, body } = toWireError(refusal, { requestId });
  return inLane(JSON.stringify({ type: "error", status, error: body.error }), lane);
}

/** A JSON object with the lane that it belongs to, where it has one. */
export function inLane(json: string, lane: string | null): string {
  return lane === null ? json : `${json.slice(0, -1)},"stream_id":${JSON.stringify(lane)}}`;
}

/** Why a socket is closed: RFC 6455's codes, and what the client does. */
export const closings = {
  /** Go on by `response.resume`, or `GET /v1/responses/{id}?stream=true&starting_after=N`. */
  behind: { code: 1013, reason: "the client is too far behind; resume" },
  lost: { code: 1013, reason: "the stream was lost here; resume" },
  expired: { code: 1008, reason: "the credential has expired" },
  revoked: { code: 1008, reason: "the credential is revoked" },
  tenantGone: { code: 1008, reason: "the tenant is gone" },
  old: { code: 1001, reason: "the socket is an hour old; open another" },
  wrong: { code: 1008, reason: "too many messages that are no requests" },
  binary: { code: 1003, reason: "messages are JSON text" },
  internal: { code: 1011, reason: "a fault of ours" },
} as const;
export type Closing = (typeof closings)[keyof typeof closings];

/** RFC 6455, section 7.4.1: a missing code, or one that must not be sent, is answered with the usual one. */
export function answeringCode(code: number): number {
  return code === 1005 || code === 1006 || code === 1015 ? 1000 : code;
}
