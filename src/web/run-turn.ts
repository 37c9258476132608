/** Shows one turn as it is written, and how it ends. */
import { brokenOff, connectionLost, notAnswered } from "./advice.ts";
import { failureOf, noticeOf } from "./failure-notice.ts";
import { cancelTurn, type TurnEvent } from "./api.ts";
import type { Dispatch, Notice } from "./chat-state.ts";
import { paintPerFrame } from "./paint-per-frame.ts";

/** How long a stop waits for the turn to be named, which is done by the first byte: a sign of life, 15 s after the message at the latest. */
const unknownTurnMs = 20_000;

/** The watch of a turn ended before the turn did: nothing is known of it but that it goes on being written. */
export class WatchLost extends Error {}

export interface RunningTurn {
  readonly abort: AbortController;
  responseId: string | null;
  stopAsked: boolean;
  /** Its chat is not on screen any more: it is let go of as soon as it has begun. */
  left?: boolean;
  /** No answer came, so that nobody knows whether the turn runs. */
  unanswered?: boolean;
  /** Resolves once it is known whether the server was told to stop. */
  stopping?: Promise<void>;
}

export async function runTurn(
  events: AsyncIterable<TurnEvent>,
  sent: {
    readonly text: string;
    readonly pictures?: readonly string[];
    readonly insteadOf?: string;
    readonly watched?: boolean;
    readonly asksRest?: boolean;
  },
  token: string,
  running: RunningTurn,
  dispatch: Dispatch,
): Promise<void> {
  const userId = crypto.randomUUID();
  const answerId = crypto.randomUUID();
  dispatch({ type: "sent", userId, answerId, ...sent });
  const painter = paintPerFrame((text, reasoning) => dispatch({ type: "delta", answerId, text, reasoning }));
  const { watched = false, asksRest = false } = sent;
  const failed = (notice: Notice): void =>
    dispatch({ type: "failed", userId, answerId, notice, watched, asksRest });
  let shown = false;
  try {
    let reason = "stop";
    let model = "";
    for await (const event of events) {
      if (event.type === "started") {
        running.responseId = event.responseId;
        // Closed before, the message might never have reached the server. A turn that has begun goes on by itself.
        if (running.left === true) return running.abort.abort();
        if (running.stopAsked) stopOnServer(token, running, dispatch);
      } else if (event.type === "delta") {
        shown = true;
        painter.add(event.text, event.reasoning);
      } else if (event.type === "cited") {
        dispatch({ type: "cited", answerId, sources: event.sources });
      } else {
        ({ reason, model } = event);
      }
    }
    painter.flush();
    dispatch({ type: "ended", answerId, status: running.stopAsked ? "stopped" : statusOf(reason), model });
  } catch (error) {
    painter.flush();
    const { aborted } = running.abort.signal;
    running.unanswered = running.responseId === null && (aborted || failureOf(error).status === 0);
    // The page moved on to another conversation, or is being reloaded: nobody looks at this one, unless the browser keeps it.
    if (aborted && !running.unanswered) return;
    await running.stopping;
    // A stop that waits for the turn to begin stops nothing where the turn was refused.
    if (running.stopAsked && running.responseId !== null) {
      dispatch({ type: "ended", answerId, status: "stopped" });
    } else if (running.stopAsked && running.unanswered) {
      failed(notAnswered);
    } else if (error instanceof WatchLost || (running.responseId !== null && failureOf(error).status === 0)) {
      // The turn goes on: given back, its words would be sent, and paid, a second time.
      dispatch({ type: "ended", answerId, status: shown ? "cut" : "stopped" });
      dispatch({ type: "noticed", notice: connectionLost });
    } else if (shown) {
      dispatch({ type: "ended", answerId, status: "cut" });
      dispatch({ type: "noticed", notice: brokenOff(failureOf(error)) });
    } else {
      failed(noticeOf(error));
    }
  }
}

function statusOf(finishReason: string): "done" | "filtered" | "cut" {
  if (finishReason === "content_filter") return "filtered";
  return finishReason === "length" ? "cut" : "done";
}

/**
 * Stop really stops: the server ends the turn, the model with it, and the stream then ends by itself. A turn goes on without
 * its reader, and costs: where the server can't be told, the page says that it was not stopped.
 */
export function stopOnServer(token: string, running: RunningTurn, dispatch: Dispatch): void {
  if (running.responseId === null) {
    // Told as soon as it is known which turn it is; where that is never said, nobody waits for it for ever.
    setTimeout(() => {
      if (running.responseId === null) running.abort.abort();
    }, unknownTurnMs);
    return;
  }
  running.stopping = cancelTurn(token, running.responseId).catch((error: unknown) => {
    running.stopAsked = false;
    const { title, advice } = noticeOf(error);
    const hasEnded = failureOf(error).status === 401;
    dispatch({
      type: "stop-failed",
      notice: {
        kind: "error",
        title: "Not stopped",
        advice: hasEnded ? `${title}. ${advice}` : "The answer goes on. Try Stop again.",
        retry: false,
        ...(hasEnded ? { signsIn: true } : {}),
      },
    });
  });
}
