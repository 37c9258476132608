/**
 * Follows turns written in this conversation while it is on screen, by another device or by this one before a reload. One
 * connection, only while the page is visible; it resumes where it was.
 */
import { ApiError, isRecord, textOf, turnEvents, type TurnEvent } from "./api.ts";
import { inputText, watchConversation } from "./conversations-api.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { WatchLost } from "./run-turn.ts";
import type { ServerEvent } from "./sse.ts";

export interface WatchedTurn {
  readonly responseId: string;
  /** The question. */
  readonly text: string;
  readonly events: AsyncIterable<TurnEvent>;
}

export interface Watching {
  /** Whether that turn is this page's own, or one of its own is running, so that none is shown twice. */
  readonly isOwn: (responseId: string) => boolean;
  /** Shows a turn. Resolves when its events have been read. */
  readonly turn: (turn: WatchedTurn) => Promise<void>;
  /** The watch has begun. The messages shown may be as old as the page, for example if it was opened in the background. */
  readonly begun: () => Promise<void>;
  /** A turn has been saved, or the conversation has changed otherwise. */
  readonly saved: (what: "turn" | "anything") => Promise<void>;
  readonly deleted: () => void;
  /** The credential has ended, so the watch stops. */
  readonly refused: (error: unknown) => void;
}

/** If the conversation does not exist yet, wait as after this many failures: seconds. */
const nothingYet = 4;
/** A watch that lasted this long counts as good: its end is not a further failure. In milliseconds. */
const goodMs = 10_000;

/** @param shown whether the saved messages were shown; else they are loaded once there is a connection */
export async function watchTurns(
  token: string,
  conversation: string,
  leaving: AbortSignal,
  watching: Watching,
  shown: boolean,
): Promise<void> {
  let last = "";
  let broken = !shown;
  let failures = 0;
  while (!leaving.aborted) {
    if (failures > 0) await pause(retryPauseMs(failures, Math.random()), leaving);
    await seen(leaving);
    const begunMs = performance.now();
    const hidden = new AbortController();
    const hide = (): void => {
      if (document.hidden) hidden.abort();
    };
    document.addEventListener("visibilitychange", hide);
    try {
      const signal = AbortSignal.any([leaving, hidden.signal]);
      const events = await watchConversation(token, conversation, last, signal);
      if (events === null) failures = Math.max(failures + 1, nothingYet);
      else {
        // Turns missed in between are saved by now.
        await (broken ? watching.saved("anything") : watching.begun());
        broken = true;
        last = await readTurns(events, last, watching);
        // The server ends watches every few minutes, and those of all pages at once when its code is replaced.
        failures = performance.now() - begunMs < goodMs ? failures + 1 : 1;
      }
    } catch (error) {
      if (error instanceof ApiError && error.failure.status === 401) return watching.refused(error);
      // Left, hidden, or cut off: it tries again. A final failure shows when a message is sent.
      if (hidden.signal.aborted) failures = 0;
      else failures = performance.now() - begunMs < goodMs ? failures + 1 : 1;
    } finally {
      document.removeEventListener("visibilitychange", hide);
    }
  }
}

async function readTurns(
  events: AsyncGenerator<ServerEvent>,
  from: string,
  watching: Watching,
): Promise<string> {
  let last = from;
  const told: AsyncGenerator<ServerEvent> = (async function* () {
    for await (const event of events) {
      if (event.id !== "") last = event.id;
      yield event;
    }
  })();
  for (;;) {
    const { done, value } = await told.next();
    if (done === true) return last;
    if (value.name === "conversation.deleted") {
      watching.deleted();
    } else if (value.name === "turn.ended" || value.name === "conversation.changed") {
      await watching.saved(value.name === "turn.ended" ? "turn" : "anything");
    } else if (value.name === "turn.started") {
      const data: unknown = JSON.parse(value.data);
      const responseId = isRecord(data) ? textOf(data["response_id"]) : "";
      if (!isRecord(data) || watching.isOwn(responseId)) continue;
      const before = last;
      const turn = new ToldTurn(told);
      await watching.turn({ responseId, text: inputText(data["input"]), events: turn.events() });
      // The turn is sent again from its beginning; its partial text on screen goes when the saved messages are shown.
      if (turn.lost !== null) {
        if (turn.lost.cause !== undefined) throw turn.lost;
        return before;
      }
      if (turn.deleted) {
        watching.deleted();
        continue;
      }
      await watching.saved("turn");
    }
  }
}

/** The events of one turn, up to its end. Later events stay in the stream. */
class ToldTurn {
  readonly #told: AsyncGenerator<ServerEvent>;
  /** Its cause is the error that broke the stream; absent if the stream just ended. */
  lost: WatchLost | null = null;
  deleted = false;

  constructor(told: AsyncGenerator<ServerEvent>) {
    this.#told = told;
  }

  async *events(): AsyncGenerator<TurnEvent> {
    for (;;) {
      const event = await this.#next();
      this.deleted = event.name === "conversation.deleted";
      if (event.name === "turn.ended" || this.deleted) return;
      if (event.name === "" && event.data !== "[DONE]") yield* turnEvents(event.data);
    }
  }

  async #next(): Promise<ServerEvent> {
    let cause: unknown;
    try {
      const { done, value } = await this.#told.next();
      if (done !== true) return value;
    } catch (error) {
      cause = error;
    }
    this.lost = new WatchLost("the watch ended before the turn", { cause });
    throw this.lost;
  }
}

async function seen(leaving: AbortSignal): Promise<void> {
  while (document.hidden && !leaving.aborted)
    await new Promise<void>((resolve) => {
      const go = (): void => {
        document.removeEventListener("visibilitychange", go);
        leaving.removeEventListener("abort", go);
        resolve();
      };
      document.addEventListener("visibilitychange", go);
      leaving.addEventListener("abort", go);
    });
}
