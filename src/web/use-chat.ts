/** Runs one conversation: what the reducer of chat-state.ts shows is driven from here. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { adviceFor, brokenOff, type ApiFailure } from "./advice.ts";
import { ApiError, cancelTurn, streamTurn, type TurnEvent } from "./api.ts";
import { emptyChat, reduceChat, type ChatMessage, type ChatState, type Notice } from "./chat-state.ts";
import { chooseBranch, loadBranches, loadItems } from "./conversations-api.ts";
import { beginConversation, isUnused } from "./keep.ts";
import { paintPerFrame } from "./paint-per-frame.ts";
import { judgeSend } from "./send-rules.ts";
import { threadOf, type ThreadItem } from "./thread.ts";
import { watchTurns, type WatchedTurn } from "./watch-turns.ts";

export interface Chat {
  readonly state: ChatState;
  readonly setDraft: (text: string) => void;
  /** Sends `text`, or the draft. */
  readonly send: (text?: string) => void;
  /** Asks a message of the user's anew, with another text or the same: a version beside it. */
  readonly askAnew: (message: ChatMessage, text: string) => void;
  readonly showVersion: (branch: string) => void;
  readonly showEarlier: () => void;
  readonly stop: () => void;
  readonly dismiss: () => void;
}

interface RunningTurn {
  readonly abort: AbortController;
  responseId: string | null;
  stopAsked: boolean;
}

type Dispatch = (event: Parameters<typeof reduceChat>[1]) => void;

/** @param onSaved a turn was saved, or its title made: whoever lists conversations looks again */
export function useChat(token: string, conversation: string, model: string, onSaved: () => void): Chat {
  const [state, dispatch] = useReducer(reduceChat, emptyChat);
  const turn = useRef<RunningTurn | null>(null);
  const sentAtMs = useRef<number[]>([]);
  const thread = useRef<Thread | null>(null);
  /** Turns that were asked here: what the watch tells of them is known. */
  const own = useRef(new Set<string>());

  useEffect(() => {
    const leaving = new AbortController();
    const opened = new Thread(token, conversation, leaving.signal, dispatch, onSaved);
    thread.current = opened;
    const leave = (): void => turn.current?.abort.abort();
    window.addEventListener("pagehide", leave);
    dispatch({ type: "cleared" });
    void opened.begun().then(() =>
      watchTurns(token, conversation, leaving.signal, {
        isOwn: (responseId) => turn.current !== null || own.current.has(responseId),
        turn: (watched) => follow(watched, turn, dispatch),
        saved: () => opened.refresh(),
      }),
    );
    return () => {
      leaving.abort();
      window.removeEventListener("pagehide", leave);
      leave();
      turn.current = null;
    };
  }, [token, conversation, onSaved]);

  const start = useCallback(
    (given: string, instead: ChatMessage | null) => {
      if (turn.current !== null) return;
      const verdict = judgeSend(given, sentAtMs.current, Date.now());
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
      beginConversation(conversation);
      const behind = instead?.behind;
      const asked = { token, conversation, model, text: verdict.text, behind };
      const events = streamTurn(asked, running.abort.signal);
      const sent = { text: verdict.text, ...(instead === null ? {} : { insteadOf: instead.id }) };
      void runTurn(events, sent, token, running, dispatch).finally(() => {
        if (turn.current === running) turn.current = null;
        // A turn that was refused has left no trace.
        if (running.responseId === null) return;
        own.current.add(running.responseId);
        void thread.current?.refreshWhenSaved();
      });
    },
    [token, conversation, model],
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
    send: (text) => start(text ?? state.draft, null),
    askAnew: (message, text) => start(text, message),
    showVersion: (branch) => {
      if (turn.current === null) void thread.current?.choose(branch);
    },
    showEarlier: () => void thread.current?.loadEarlier(),
    stop,
    dismiss: () => dispatch({ type: "noticed", notice: null }),
  };
}

/** How often it is looked whether a turn that ended is saved, where nobody tells it: ms between. */
const savedLooksMs = [300, 1000, 3000];

/** The conversation as the server keeps it. */
class Thread {
  readonly #token: string;
  readonly #conversation: string;
  readonly #left: AbortSignal;
  readonly #dispatch: Dispatch;
  readonly #onSaved: () => void;
  #items: readonly ThreadItem[] = [];
  #looking = 0;
  readonly #saved = Promise.withResolvers<void>();

  constructor(
    token: string,
    conversation: string,
    left: AbortSignal,
    dispatch: Dispatch,
    onSaved: () => void,
  ) {
    this.#token = token;
    this.#conversation = conversation;
    this.#left = left;
    this.#dispatch = dispatch;
    this.#onSaved = onSaved;
  }

  /** Resolves once there is such a conversation, and what is in it is shown. */
  async begun(): Promise<void> {
    if (isUnused(this.#conversation)) return this.#saved.promise;
    this.#dispatch({ type: "restore-started" });
    await this.#show("restored", null);
  }

  async refresh(): Promise<void> {
    this.#looking += 1;
    await this.#show("refreshed", null);
    this.#onSaved();
  }

  /** The end of a turn comes a moment before it is saved. The watch tells of that, too; whichever is first. */
  async refreshWhenSaved(): Promise<void> {
    this.#looking += 1;
    const looking = this.#looking;
    const before = this.#items.at(-1)?.id;
    let looks = 0;
    for (;;) {
      const waitMs = savedLooksMs[Math.min(looks, savedLooksMs.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#left.aborted || looking !== this.#looking) return;
      looks += 1;
      // Without a connection it is tried on and on, and said once: by the turn that broke off.
      const seen = await this.#show("refreshed", null, { quietly: true, unless: before });
      if (seen && (looks >= savedLooksMs.length || this.#items.at(-1)?.id !== before)) break;
    }
    this.#saved.resolve();
    this.#onSaved();
  }

  async loadEarlier(): Promise<void> {
    await this.#show("refreshed", this.#items[0]?.id ?? null);
  }

  async choose(branch: string): Promise<void> {
    try {
      await chooseBranch(this.#token, this.#conversation, branch);
      await this.#show("refreshed", null);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Whether it could be had.
   * @param how.unless the last item: where it is still that one, what is on screen is more than what is saved, and stays
   */
  async #show(
    type: "restored" | "refreshed",
    before: string | null,
    how: { readonly quietly: boolean; readonly unless?: string | undefined } = { quietly: false },
  ): Promise<boolean> {
    try {
      const [page, branches] = await Promise.all([
        loadItems(this.#token, this.#conversation, before),
        loadBranches(this.#token, this.#conversation),
      ]);
      if (this.#left.aborted) return false;
      if (how.quietly && page.entries.at(-1)?.id === how.unless) return true;
      this.#items = before === null ? page.entries : [...page.entries, ...this.#items];
      const messages = threadOf(this.#items, branches, page.hasMore);
      this.#dispatch({ type, messages, hasEarlier: page.hasMore });
      return true;
    } catch (error) {
      if (this.#left.aborted) return false;
      if (type === "restored") this.#dispatch({ type, messages: [], hasEarlier: false });
      if (!how.quietly) this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    if (!this.#left.aborted) this.#dispatch({ type: "noticed", notice: noticeOf(error) });
  }
}

/** A turn of another device, or of this one before a reload: shown as it is written, and stopped from here as well. */
async function follow(
  watched: WatchedTurn,
  turn: { current: RunningTurn | null },
  dispatch: Dispatch,
): Promise<void> {
  const running: RunningTurn = {
    abort: new AbortController(),
    responseId: watched.responseId,
    stopAsked: false,
  };
  turn.current = running;
  try {
    await runTurn(watched.events, { text: watched.text }, "", running, dispatch);
  } finally {
    if (turn.current === running) turn.current = null;
  }
}

async function runTurn(
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
function stopOnServer(token: string, running: RunningTurn): void {
  if (running.responseId === null) return;
  cancelTurn(token, running.responseId).catch(() => running.abort.abort());
}

function failureOf(error: unknown): ApiFailure {
  return error instanceof ApiError
    ? error.failure
    : {
        // How a browser says that the connection is gone in the middle of a body.
        status: error instanceof TypeError ? 0 : 502,
        code: null,
        message: "The answer could not be read.",
        retryAfterMs: null,
      };
}

function noticeOf(error: unknown): Notice {
  return adviceFor(failureOf(error), Date.now());
}
