/**
 * What others write in this conversation while it is on screen: another device, or this one before a reload. One
 * connection, held only while the page is seen; it goes on from where it was.
 */
import { ApiError, isRecord, textOf, turnEvents, type TurnEvent } from "./api.ts";
import { inputText, watchConversation } from "./conversations-api.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { WatchLost } from "./run-turn.ts";
import type { ServerEvent } from "./sse.ts";

export interface WatchedTurn {
  readonly responseId: string;
  /** What was asked. */
  readonly text: string;
  readonly events: AsyncIterable<TurnEvent>;
}

export interface Watching {
  /** Whether that turn is this page's own, or one of its own is under way: none is shown twice. */
  readonly isOwn: (responseId: string) => boolean;
  /** Shows a turn. Resolves when its events have been taken. */
  readonly turn: (turn: WatchedTurn) => Promise<void>;
  /** It is watched from now on. What is shown may be as old as the page is: one that was opened in the background has waited to be looked at. */
  readonly begun: () => Promise<void>;
  /** A turn has been saved, or what is listed has changed otherwise. */
  readonly saved: (what: "turn" | "anything") => Promise<void>;
  readonly deleted: () => void;
  /** The credential has ended: there is nothing more to watch. */
  readonly refused: (error: unknown) => void;
}

/** As after so many failures it is asked again where there is nothing to watch yet: seconds, not at once. */
const nothingYet = 4;
/** A watch that was held as long as this was a good one: what ended it is no further failure. In milliseconds. */
const goodMs = 10_000;

/** @param shown whether what is saved was shown; else it is once there is a connection */
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
        // What was missed in between is saved by now.
        await (broken ? watching.saved("anything") : watching.begun());
        broken = true;
        last = await readTurns(events, last, watching);
        // Ended by the server, which does so every few minutes, and when its code is replaced: by all pages' at once.
        failures = performance.now() - begunMs < goodMs ? failures + 1 : 1;
      }
    } catch (error) {
      if (error instanceof ApiError && error.failure.status === 401) return watching.refused(error);
      // Left, hidden, or cut off: it is tried again, and what failed for good shows when a message is sent.
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
      // It is told anew, from its beginning: what is on screen of it goes when what is saved is shown.
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

/** The events of one turn, up to its end. What comes behind stays in the stream. */
class ToldTurn {
  readonly #told: AsyncGenerator<ServerEvent>;
  /** With the error that cut the stream off as its cause; without one where the stream just ended. */
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
