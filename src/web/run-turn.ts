/** Shows one turn while it is written, and its end. */
import { brokenOff, connectionLost, notAnswered } from "./advice.ts";
import { failureOf, noticeOf } from "./failure-notice.ts";
import { cancelTurn, type TurnEvent } from "./api.ts";
import type { Dispatch, Notice } from "./chat-state.ts";
import { paintPerFrame } from "./paint-per-frame.ts";

/** How long a stop waits for the turn's id, which comes with the first byte: a keep-alive, at most 15 s after the message. */
const unknownTurnMs = 20_000;

/** The watch of a turn ended before the turn, which continues. */
export class WatchLost extends Error {}

export interface RunningTurn {
  readonly abort: AbortController;
  responseId: string | null;
  stopAsked: boolean;
  /** Its chat has left the screen: reading stops as soon as the turn has begun. */
  left?: boolean;
  /** There was no answer, so it is unknown whether the turn runs. */
  unanswered?: boolean;
  /** Resolves once it is known whether the server got the stop. */
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
        // Aborted earlier, the message might not have reached the server. A turn that has begun continues without its reader.
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
    // The page shows another conversation or is being reloaded, so nothing need be shown.
    if (aborted && !running.unanswered) return;
    await running.stopping;
    // A stop that waited for a turn which was refused has nothing to stop.
    if (running.stopAsked && running.responseId !== null) {
      dispatch({ type: "ended", answerId, status: "stopped" });
    } else if (running.stopAsked && running.unanswered) {
      failed(notAnswered);
    } else if (error instanceof WatchLost || (running.responseId !== null && failureOf(error).status === 0)) {
      // The turn continues: with its text back in the field it would be sent, and paid, twice.
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
 * Stops the turn on the server, and with it the model; the stream then ends by itself. Without this the turn would continue and
 * cost: if the server can't be reached, the page says that it was not stopped.
 */
export function stopOnServer(token: string, running: RunningTurn, dispatch: Dispatch): void {
  if (running.responseId === null) {
    // Sent as soon as the turn's id is known, with a limit on the wait for it.
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
