/**
 * One attempt at one replica, up to the first byte of its answer. It owns the AbortController of the engine's request,
 * which fires when the client leaves, at the time-out and at a failure. The client's own signal can't be passed to `fetch`: workerd ignores
 * it there.
 */
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { FailureReason } from "./breaker.ts";
import {
  beginsBroken,
  beginsWithError,
  isBrokenText,
  isBrokenWhole,
  isErrorText,
  judge,
  maxErrorBytes,
  type EngineVerdict,
} from "./engines/engine-error.ts";
import { readAtMost, readBeginning } from "./read-body.ts";
import type { OriginRequest } from "./ports.ts";
import type { ReplicaTarget } from "./replica-target.ts";

/** The network. Only what `fetch` of every runtime here understands; `target` says over what (origin-transport.ts). */
export type Transport = (url: string, init: RequestInit, target: ReplicaTarget) => Promise<Response>;

export interface AttemptInput {
  readonly target: ReplicaTarget;
  readonly request: OriginRequest;
  readonly signal: LeaveSignal;
  readonly timeoutMs: number;
  readonly nowMs: number;
}

/** An answer whose beginning is in hand. */
export interface OpenAnswer {
  readonly kind: "open";
  readonly status: number;
  readonly contentType: string;
  /** A whole answer that was read at once; the other members are then null. */
  readonly text: string | null;
  readonly firstChunk: Uint8Array | null;
  /** Null: the above is all of it. */
  readonly rest: ReadableStream<Uint8Array> | null;
  /** From now on, when the client leaves, the engine is aborted and this is called. */
  onClientGone(listener: () => void): void;
  /** Stops listening to the client, and ends the engine's request if it still runs. */
  close(abort: boolean): void;
}

export type AttemptResult =
  | OpenAnswer
  | Exclude<EngineVerdict, { kind: "failed" }>
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string }
  | { readonly kind: "gone" };

const userAgent = "edgewise/0.1";

/** A JSON answer up to this size is read whole before it counts as begun. */
const maxWholeBytes = 4_194_304;

/** Asks one replica. Never throws; never leaves a request running unless the result is `open`. */
export async function attempt(input: AttemptInput, transport: Transport): Promise<AttemptResult> {
  const { request, signal } = input;
  if (signal.aborted) return { kind: "gone" };
  const controller = new AbortController();
  let timedOut = false;
  let onGone: (() => void) | null = null;
  const abandon = (): void => {
    controller.abort();
    onGone?.();
  };
  signal.addEventListener("abort", abandon, { once: true });
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, input.timeoutMs);
  const close = (abort: boolean): void => {
    signal.removeEventListener("abort", abandon);
    if (abort) controller.abort();
  };
  const opened = (response: Response, { text, firstChunk, rest }: Begun): OpenAnswer => ({
    kind: "open",
    status: response.status,
    contentType: response.headers.get("content-type") ?? "application/octet-stream",
    text,
    firstChunk,
    rest,
    onClientGone: (listener) => {
      onGone = listener;
    },
    close,
  });

  let result: AttemptResult;
  let answered = false;
  try {
    const response = await transport(
      input.target.url + request.path,
      {
        method: "POST",
        headers: originHeaders(request),
        body: request.body,
        signal: controller.signal,
        redirect: "manual",
      },
      input.target,
    );
    answered = true;
    const beginning = await beginningOf(response, request.stream);
    result = "error" in beginning ? verdict(response, beginning.error, input) : opened(response, beginning);
  } catch (error) {
    const reason = timedOut ? "first-byte-timeout" : answered ? "broken" : "refused";
    result = { kind: "failed", reason, detail: error instanceof Error ? error.name : "unknown error" };
  }
  clearTimeout(timer);
  if (signal.aborted) result = { kind: "gone" };
  if (result.kind !== "open") close(true);
  return result;
}

/** The first event that tells an answer from an error is longer than this: a shorter first chunk is read on. */
const tellingBytes = 24;

type Begun = Pick<OpenAnswer, "text" | "firstChunk" | "rest">;

/** The answer's beginning or all of it, or the text of an error. */
async function beginningOf(response: Response, stream: boolean): Promise<Begun | { readonly error: string }> {
  if (!stream && response.ok && isShort(response)) {
    // Read in one piece, not as a stream: each read of a stream costs as much as all of the parsing.
    const text = await response.text();
    if (isBrokenText(text) || isErrorText(text)) return { error: text.slice(0, maxErrorBytes) };
    return { text, firstChunk: null, rest: null };
  }
  if (response.body === null) return { error: "" };
  if (!response.ok) return { error: await readAtMost(response.body, maxErrorBytes) };
  const { bytes, rest } = await readBeginning(response.body, stream ? tellingBytes : maxWholeBytes);
  if (bytes.byteLength === 0) return { error: "" };
  const broken = stream ? beginsBroken(bytes) : rest === null && isBrokenWhole(bytes);
  if (!broken && !beginsWithError(bytes)) return { text: null, firstChunk: bytes, rest };
  return { error: new TextDecoder().decode(bytes.subarray(0, maxErrorBytes)) };
}

function isShort(response: Response): boolean {
  const length = response.headers.get("content-length");
  return length !== null && Number(length) <= maxWholeBytes;
}

function verdict(response: Response, error: string, { nowMs, request, target }: AttemptInput): AttemptResult {
  const { engine } = target.cluster;
  const retryAfter = response.headers.get("retry-after");
  const judged = judge(response.status, retryAfter, error, nowMs, engine, request.path);
  if (judged.kind !== "failed") return judged;
  return { ...judged, reason: response.ok ? "bad-answer" : "status" };
}

/** Of the 128 characters that an id may have. */
const ownIdCharacters = 8;
const givenIdCharacters = 128 - ownIdCharacters - 1;

/**
 * Under which id does the engine know this attempt? vLLM takes its own request id from this header, so that one in use twice
 * at a time is refused, or breaks the engine for others (vllm-project/vllm issue 10583). A client names its requests as it likes,
 * and a second attempt may meet the first one: so each has an id of its own, which begins with what the log knows.
 */
function engineRequestId(requestId: string): string {
  return `${requestId.slice(0, givenIdCharacters)}.${crypto.randomUUID().slice(0, ownIdCharacters)}`;
}

/** Rebuilt from what the request says; nothing of the client's own headers is ever in here. */
function originHeaders(request: OriginRequest): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: request.stream ? "text/event-stream" : "application/json",
    "user-agent": userAgent,
    "x-request-id": engineRequestId(request.requestId),
    traceparent: request.traceparent,
  };
}
