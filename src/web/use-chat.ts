/** Runs one conversation: what the reducer of chat-state.ts shows is driven from here. The only place with timers. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { adviceFor } from "./advice.ts";
import { ApiError, cancelTurn, followTurn, loadHistory, streamTurn, type TurnEvent } from "./api.ts";
import { emptyChat, reduceChat, type ChatState, type Notice } from "./chat-state.ts";
import { forgetRunning, keepRunning, keptRunning } from "./keep.ts";
import { judgeSend } from "./send-rules.ts";

export interface Chat {
  readonly state: ChatState;
  readonly setDraft: (text: string) => void;
  /** Sends `text`, or the draft. */
  readonly send: (text?: string) => void;
  readonly stop: () => void;
  readonly dismiss: () => void;
}

interface RunningTurn {
  readonly abort: AbortController;
  responseId: string | null;
  stopAsked: boolean;
}

export function useChat(token: string, conversation: string, model: string): Chat {
  const [state, dispatch] = useReducer(reduceChat, emptyChat);
  const turn = useRef<RunningTurn | null>(null);
  const sentAtMs = useRef<number[]>([]);

  useEffect(() => {
    const leaving = new AbortController();
    // A reload breaks the stream as a fault would; only this tells the two apart, so that the answer is followed on.
    const leave = (): void => turn.current?.abort.abort();
    window.addEventListener("pagehide", leave);
    dispatch({ type: "cleared" });
    dispatch({ type: "restore-started" });
    void restore(token, conversation, turn, leaving.signal, dispatch);
    return () => {
      leaving.abort();
      window.removeEventListener("pagehide", leave);
      leave();
      turn.current = null;
    };
  }, [token, conversation]);

  const send = useCallback(
    (given?: string) => {
      if (turn.current !== null) return;
      const verdict = judgeSend(given ?? state.draft, sentAtMs.current, Date.now());
      if (!verdict.send) {
        dispatch({
          type: "noticed",
          notice: { kind: "error", title: "Not sent", advice: verdict.why, retry: false },
        });
        return;
      }
      sentAtMs.current = [...sentAtMs.current.slice(-20), Date.now()];
      const running: RunningTurn = { abort: new AbortController(), responseId: null, stopAsked: false };
      turn.current = running;
      const events = streamTurn({ token, conversation, model, text: verdict.text }, running.abort.signal);
      void runTurn(events, { token, conversation, text: verdict.text }, running, dispatch).finally(() => {
        if (turn.current === running) turn.current = null;
      });
    },
    [token, conversation, model, state.draft],
  );

  const stop = useCallback(() => {
    const running = turn.current;
    if (running === null) return;
    running.stopAsked = true;
    dispatch({ type: "stop-asked" });
    stopOnServer(token, running);
  }, [token]);

  return {
    state,
    setDraft: (text) => dispatch({ type: "draft-changed", text }),
    send,
    stop,
    dismiss: () => dispatch({ type: "noticed", notice: null }),
  };
}

type Dispatch = (event: Parameters<typeof reduceChat>[1]) => void;

/** The conversation as it was, and the answer that was being written when the page went away, if it still is. */
async function restore(
  token: string,
  conversation: string,
  turn: { current: RunningTurn | null },
  leaving: AbortSignal,
  dispatch: Dispatch,
): Promise<void> {
  const kept = keptRunning(conversation);
  try {
    const following = kept === null ? null : await followTurn(token, kept.responseId, leaving);
    const items = await loadHistory(token, conversation);
    if (leaving.aborted) return;
    dispatch({
      type: "restored",
      messages: items.map((item) => ({ ...item, reasoning: "", status: "done" as const })),
    });
    if (kept === null || following === null) return forgetRunning();
    const running: RunningTurn = {
      abort: new AbortController(),
      responseId: kept.responseId,
      stopAsked: false,
    };
    turn.current = running;
    await runTurn(following, { token, conversation, text: kept.text }, running, dispatch);
    if (turn.current === running) turn.current = null;
  } catch (error) {
    if (leaving.aborted) return;
    dispatch({ type: "restored", messages: [] });
    dispatch({ type: "noticed", notice: noticeOf(error) });
  }
}

async function runTurn(
  events: AsyncGenerator<TurnEvent>,
  turn: { readonly token: string; readonly conversation: string; readonly text: string },
  running: RunningTurn,
  dispatch: Dispatch,
): Promise<void> {
  const userId = crypto.randomUUID();
  const answerId = crypto.randomUUID();
  dispatch({ type: "sent", userId, answerId, text: turn.text });
  const painter = paintPerFrame((text, reasoning) => dispatch({ type: "delta", answerId, text, reasoning }));
  let shown = false;
  try {
    let reason = "stop";
    for await (const event of events) {
      if (event.type === "started") {
        running.responseId = event.responseId;
        keepRunning({ conversation: turn.conversation, responseId: event.responseId, text: turn.text });
        if (running.stopAsked) stopOnServer(turn.token, running);
      } else if (event.type === "delta") {
        shown = true;
        painter.add(event.text, event.reasoning);
      } else {
        reason = event.reason;
      }
    }
    painter.flush();
    dispatch({ type: "ended", answerId, status: running.stopAsked ? "stopped" : statusOf(reason) });
    forgetRunning();
  } catch (error) {
    painter.flush();
    // The page moved on to another conversation, or is being reloaded: nobody looks at this one.
    if (running.abort.signal.aborted && !running.stopAsked) return;
    forgetRunning();
    if (running.stopAsked) {
      dispatch({ type: "ended", answerId, status: "stopped" });
    } else if (shown) {
      dispatch({ type: "ended", answerId, status: "cut" });
      dispatch({ type: "noticed", notice: noticeOf(error) });
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
function stopOnServer(token: string, running: RunningTurn): void {
  if (running.responseId === null) return;
  cancelTurn(token, running.responseId).catch(() => running.abort.abort());
}

/** Tokens come faster than frames: they are painted together, once a frame. */
function paintPerFrame(paint: (text: string, reasoning: string) => void) {
  let text = "";
  let reasoning = "";
  let frame = 0;
  const flush = (): void => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (text === "" && reasoning === "") return;
    paint(text, reasoning);
    text = "";
    reasoning = "";
  };
  return {
    add(moreText: string, moreReasoning: string): void {
      text += moreText;
      reasoning += moreReasoning;
      if (frame === 0) frame = requestAnimationFrame(flush);
    },
    flush,
  };
}

function noticeOf(error: unknown): Notice {
  const failure =
    error instanceof ApiError
      ? error.failure
      : { status: 502, code: null, message: "The answer could not be read.", retryAfterMs: null };
  return adviceFor(failure, Date.now());
}
