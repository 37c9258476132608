/**
 * What does a client get while its stream is slow to begin, because the engine is thinking or an earlier turn of the conversation is still
 * running? After a silence, its headers and keep-alives; an error is from then on an event, no longer a status.
 */
import { timedOut, within } from "../../src/shared/isolate/within.ts";
import { lateStream } from "../../src/shared/stream/late-stream.ts";
import { respondFailure, type TenantCall } from "./handle.ts";
import { baseHeaders } from "./respond.ts";
import { startTimer } from "./timers.ts";

/** The silence before a stream begins without its first event, and between two keep-alives. */
const keepAliveMs = 15_000;

export interface LateStart {
  /** Called when the headers leave; `null`: not known yet. */
  readonly responseId: () => string | null;
  /** A refusal's JSON body as the one event that ends the stream. */
  readonly errorEvent: (json: string) => string;
  /** Whether the answer continues if its client leaves. */
  readonly goesOn: boolean;
}

/** @param responding the answer to a request for a stream: its events, or a refusal */
export async function orLate(
  call: TenantCall,
  responding: Promise<Response>,
  late: LateStart,
): Promise<Response> {
  const response = await within(responding, keepAliveMs);
  return response === timedOut ? startLate(call, responding, late) : response;
}

function startLate(
  call: TenantCall,
  responding: Promise<Response>,
  { responseId, errorEvent, goesOn }: LateStart,
): Response {
  const answering = responding.catch((error: unknown) => respondFailure(call, error));
  // A client that leaves now does not cancel the pending request (client-tie.ts), only the reading of its answer.
  if (goesOn) call.scope.background.run("late start", answering);
  const id = responseId();
  return new Response(lateStream(answering, { keepAliveMs, setTimer: startTimer, errorEvent }), {
    headers: {
      ...baseHeaders(call.scope),
      "content-type": "text/event-stream; charset=utf-8",
      ...(id === null ? {} : { "x-edgewise-response-id": id }),
    },
  });
}
