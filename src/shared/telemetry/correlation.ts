/**
 * By which ids can a request be traced? `x-request-id` (or `x-correlation-id`) and W3C Trace Context.
 * A malformed id is replaced, never cut or forwarded, since ids end up in logs and headers.
 */
import type { RequestId } from "../contracts/ids.ts";

/** At most 128 visible ASCII characters. */
const requestIdPattern = /^[\x21-\x7e]{1,128}$/;
/** W3C Trace Context (https://www.w3.org/TR/trace-context/#traceparent-header): versions after 00 may have more at the end. */
const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;
const lengthOfVersion00 = 55;
const zeroTrace = "0".repeat(32);
const zeroSpan = "0".repeat(16);

export interface Correlation {
  readonly requestId: RequestId;
  /** Identifies the whole trace, 32 hex digits. */
  readonly traceId: string;
  /** Sent to the origin and back to the client: the caller's trace, with a span of ours. */
  readonly traceparent: string;
}

export interface IncomingIds {
  readonly requestId: string | null | undefined;
  readonly correlationId: string | null | undefined;
  readonly traceparent: string | null | undefined;
}

/** @param random returns that many random bytes as lower-case hex; called once */
export function correlate(incoming: IncomingIds, random: (bytes: number) => string): Correlation {
  const trace = incoming.traceparent ? traceOf(incoming.traceparent) : null;
  const fresh = random(24);
  const traceId = trace === null ? fresh.slice(16) : trace.id;
  const traceparent = `00-${traceId}-${fresh.slice(0, 16)}-${trace === null ? "00" : trace.flags}`;
  const asked = incoming.requestId ?? incoming.correlationId;
  const requestId = asked && requestIdPattern.test(asked) ? asked : `req_${fresh.slice(16)}`;
  return { requestId: requestId as RequestId, traceId, traceparent };
}

/**
 * The caller's trace; `null`: the header has none. Of a later version only the part that equals version 00 is read (section 4.3 of
 * the recommendation), and it is forwarded as 00. Undefined flags are set to zero, as section 3.2.2.5 requires: 00 has `sampled`
 * and, from level 2 on, `random`.
 */
function traceOf(traceparent: string): { readonly id: string; readonly flags: string } | null {
  const [, version, id = "", span, flags = ""] = traceparentPattern.exec(traceparent) ?? [];
  if (version === undefined || version === "ff" || id === zeroTrace || span === zeroSpan) return null;
  if (version === "00" && traceparent.length !== lengthOfVersion00) return null;
  return { id, flags: `0${Number.parseInt(flags, 16) & (version === "00" ? 0b11 : 0b1)}` };
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Bytes of one call of the system's generator serve many ids: the call costs more than the bytes. */
const pool = new Uint8Array(2048);
let used = pool.length;

/** `bytes` random bytes (at most 2,048) as lower-case hex. */
export function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let hex = "";
  for (const end = used + bytes; used < end; used += 1) hex += hexOfByte[pool[used] ?? 0] ?? "";
  return hex;
}
