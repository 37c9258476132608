/** Shows one turn as it is written, and how it ends. */
import { brokenOff, connectionLost } from "./advice.ts";
import { failureOf, noticeOf } from "./failure-notice.ts";
import { cancelTurn, type TurnEvent } from "./api.ts";
import type { Dispatch } from "./chat-state.ts";
import { paintPerFrame } from "./paint-per-frame.ts";
import { WatchLost } from "./watch-turns.ts";

export interface RunningTurn {
  readonly abort: AbortController;
  responseId: string | null;
  stopAsked: boolean;
}

export async function runTurn(
  events: AsyncIterable<TurnEvent>,
  sent: { readonly text: string; readonly insteadOf?: string },
  token: string,
  running: RunningTurn,
  dispatch: Dispatch,
): Promise<void> {
  const userId = crypto.randomUUID();
  const answerId = crypto.randomUUID();
  dispatch({ type: "sent", userId, answerId, ...sent });
  const painter = paintPerFrame((text, reasoning) => dispatch({ type: "delta", answerId, text, reasoning }));
  let shown = false;
  try {
    let reason = "stop";
    for await (const event of events) {
      if (event.type === "started") {
        running.responseId = event.responseId;
        if (running.stopAsked) stopOnServer(token, running);
      } else if (event.type === "delta") {
        shown = true;
        painter.add(event.text, event.reasoning);
      } else {
        reason = event.reason;
      }
    }
    painter.flush();
    dispatch({ type: "ended", answerId, status: running.stopAsked ? "stopped" : statusOf(reason) });
  } catch (error) {
    painter.flush();
    // The page moved on to another conversation, or is being reloaded: nobody looks at this one.
    if (running.abort.signal.aborted && !running.stopAsked) return;
    if (running.stopAsked) {
      dispatch({ type: "ended", answerId, status: "stopped" });
    } else if (error instanceof WatchLost) {
      // The turn goes on: given back, its words would be sent a second time.
      dispatch({ type: "ended", answerId, status: shown ? "cut" : "stopped" });
      dispatch({ type: "noticed", notice: connectionLost });
    } else if (shown) {
      dispatch({ type: "ended", answerId, status: "cut" });
      dispatch({ type: "noticed", notice: brokenOff(failureOf(error)) });
    } else {
      dispatch({ type: "failed", userId, answerId, notice: noticeOf(error) });
    }
  }
}

function statusOf(finishReason: string): "done" | "filtered" | "cut" {
  if (finishReason === "content_filter") return "filtered";
  return finishReason === "length" ? "cut" : "done";
}

/**
 * Stop really stops: the server ends the turn, the model with it, and the stream then ends by itself. Only if the server
 * can't be told is the connection dropped instead.
 */
export function stopOnServer(token: string, running: RunningTurn): void {
  if (running.responseId === null) return;
  cancelTurn(token, running.responseId).catch(() => running.abort.abort());
}
