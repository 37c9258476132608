/**
 * What does the page show, given what happened? A pure reducer: the network and the clock stay in chat-run.ts.
 * One turn at a time; a user's message appears at once and is rolled back into the draft when the turn fails.
 */

import type { Source } from "./sources.tsx";

export interface ChatMessage {
  readonly id: string;
  /** Where it stands on the page, which outlives its id; absent: as its id. */
  readonly key?: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** What it shows the model beside its text, as `data:` URLs. */
  readonly pictures?: readonly string[];
  /** Names of files that a program sent with it. Those that are attached here are in the chat's vector store. */
  readonly files?: readonly string[];
  /** The model's reasoning, where it shows one. */
  readonly reasoning: string;
  /** What it cites; absent: nothing. */
  readonly sources?: readonly Source[];
  readonly status: "done" | "waiting" | "streaming" | "stopped" | "filtered" | "cut";
  /** Which one answered; absent or empty: not known, as of what is read from the server. */
  readonly model?: string | undefined;
  /** An answer to what was asked elsewhere. */
  readonly watched?: true;
  /** What a user's message comes behind: to ask it anew. Absent: not known (yet). */
  readonly behind?: string;
  /** Branches that part here, and which of them is shown. */
  readonly versions?: { readonly branches: readonly string[]; readonly at: number };
}

export function keyOf({ key, id }: ChatMessage): string {
  return key ?? id;
}

export interface Notice {
  readonly kind: "error" | "limit" | "offline";
  readonly title: string;
  readonly advice: string;
  /** Whether sending the same text again can help. */
  readonly retry: boolean;
  /** For `offline`, which else stays until the connection is back. */
  readonly dismissible?: boolean;
  /** The credential has ended: signing in again helps, and keeps what was typed. */
  readonly signsIn?: true;
  /** For `limit`: when it is worth trying again, in milliseconds since 1970. */
  readonly untilMs?: number;
}

export interface ChatState {
  readonly messages: readonly ChatMessage[];
  readonly phase: "restoring" | "idle" | "waiting" | "streaming" | "stopping";
  readonly draft: string;
  readonly notice: Notice | null;
  /** Whether there is more before the first message. */
  readonly hasEarlier: boolean;
  /** What a turn under way stands in place of: back again should it fail. */
  readonly replaced: readonly ChatMessage[];
  /** A message that was to be asked anew, or the rest of an answer, and was refused: what to try again. A new one that was is in the draft. */
  readonly unsent: { readonly text: string; readonly insteadOf: ChatMessage | Rest } | null;
}

/** Of the last answer, which ended early: asked for without a word that was typed. */
export type Rest = "rest";

export type ChatEvent =
  | { readonly type: "draft-changed"; readonly text: string }
  | { readonly type: "restore-started" }
  | {
      readonly type: "restored";
      readonly messages: readonly ChatMessage[];
      readonly hasEarlier: boolean;
    }
  /** As they are kept now, once a turn is saved. What is being written stays. */
  | {
      readonly type: "refreshed";
      readonly messages: readonly ChatMessage[];
      /** What those on screen leave to them (keep-shown.ts, which comes with what the server keeps). */
      readonly join: (
        messages: readonly ChatMessage[],
        before: readonly ChatMessage[],
      ) => readonly ChatMessage[];
      readonly hasEarlier: boolean;
    }
  | {
      readonly type: "sent";
      readonly userId: string;
      readonly answerId: string;
      readonly text: string;
      readonly pictures?: readonly string[];
      /** The message that it is a new version of: it goes, and all behind it. */
      readonly insteadOf?: string;
      /** Somebody else asks. */
      readonly watched?: boolean;
    }
  | { readonly type: "delta"; readonly answerId: string; readonly text: string; readonly reasoning: string }
  | { readonly type: "cited"; readonly answerId: string; readonly sources: readonly Source[] }
  | { readonly type: "stop-asked" }
  /** The server could not be told: the turn goes on. */
  | { readonly type: "stop-failed"; readonly notice: Notice }
  | {
      readonly type: "ended";
      readonly answerId: string;
      readonly status: "done" | "stopped" | "filtered" | "cut";
      readonly model?: string;
    }
  | {
      readonly type: "failed";
      readonly userId: string;
      readonly answerId: string;
      readonly notice: Notice;
      /** Somebody else asked: the words are kept where they were typed. */
      readonly watched?: boolean;
      /** Nobody has typed the words. */
      readonly asksRest?: boolean;
    }
  | { readonly type: "noticed"; readonly notice: Notice | null }
  | { readonly type: "cleared" };

export const emptyChat: ChatState = {
  messages: [],
  phase: "idle",
  draft: "",
  notice: null,
  hasEarlier: false,
  replaced: [],
  unsent: null,
};

export type Dispatch = (event: ChatEvent) => void;

export function reduceChat(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case "draft-changed":
      return { ...state, draft: event.text };
    case "restore-started":
      return { ...state, phase: "restoring" };
    case "restored":
      return { ...state, phase: "idle", messages: event.messages, hasEarlier: event.hasEarlier };
    case "refreshed":
      return state.phase === "idle"
        ? {
            ...state,
            messages: event.join(event.messages, state.messages),
            hasEarlier: event.hasEarlier,
            // What was read just now shows that the connection is back.
            notice: state.notice?.kind === "offline" ? null : state.notice,
          }
        : state;
    case "sent":
      return {
        ...state,
        phase: "waiting",
        // A suggestion, an edit or another device's message leaves what is being typed.
        draft: state.draft.trim() === event.text ? "" : state.draft,
        notice: null,
        unsent: null,
        replaced: state.messages.slice(placeOf(state.messages, event.insteadOf)),
        messages: [
          ...state.messages.slice(0, placeOf(state.messages, event.insteadOf)),
          {
            id: event.userId,
            role: "user",
            text: event.text,
            ...(event.pictures === undefined ? {} : { pictures: event.pictures }),
            reasoning: "",
            status: "done",
          },
          {
            id: event.answerId,
            role: "assistant",
            text: "",
            reasoning: "",
            status: "waiting",
            ...(event.watched === true ? { watched: true } : {}),
          },
        ],
      };
    case "delta":
      return {
        ...state,
        phase: state.phase === "stopping" ? "stopping" : "streaming",
        messages: change(state.messages, event.answerId, (message) => ({
          ...message,
          status: "streaming",
          text: message.text + event.text,
          reasoning: message.reasoning + event.reasoning,
        })),
      };
    case "cited":
      return {
        ...state,
        messages: change(state.messages, event.answerId, (message) => ({
          ...message,
          sources: event.sources,
        })),
      };
    case "stop-asked":
      return state.phase === "waiting" || state.phase === "streaming"
        ? { ...state, phase: "stopping" }
        : state;
    case "stop-failed":
      return state.phase === "stopping"
        ? {
            ...state,
            phase: state.messages.at(-1)?.status === "waiting" ? "waiting" : "streaming",
            notice: event.notice,
          }
        : state;
    case "ended":
      return {
        ...state,
        phase: "idle",
        replaced: [],
        messages: change(state.messages, event.answerId, (message) => ({
          ...message,
          status: event.status,
          model: event.model,
        })).filter(
          (message) =>
            message.id !== event.answerId ||
            message.text !== "" ||
            message.reasoning !== "" ||
            event.status !== "stopped",
        ),
      };
    case "failed": {
      const asked = state.messages.find((message) => message.id === event.userId)?.text ?? "";
      const replaced = state.replaced[0];
      const insteadOf = event.asksRest === true ? "rest" : replaced;
      // Of a message that is on screen again as it was there is nothing to keep.
      const words = insteadOf === "rest" || replaced?.text === asked ? "" : asked;
      return {
        ...state,
        phase: "idle",
        notice: event.notice,
        draft:
          event.watched === true
            ? state.draft || words
            : [words, state.draft].filter((text) => text !== "").join("\n\n"),
        unsent: insteadOf === undefined ? null : { text: asked, insteadOf },
        replaced: [],
        messages: [
          ...state.messages.filter((message) => message.id !== event.userId && message.id !== event.answerId),
          ...state.replaced,
        ],
      };
    }
    case "noticed":
      return { ...state, notice: event.notice, unsent: null };
    case "cleared":
      return { ...emptyChat, draft: state.draft };
  }
}

function placeOf(messages: readonly ChatMessage[], id: string | undefined): number {
  const at = messages.findIndex((message) => message.id === id);
  return at === -1 ? messages.length : at;
}

function change(
  messages: readonly ChatMessage[],
  id: string,
  how: (message: ChatMessage) => ChatMessage,
): readonly ChatMessage[] {
  return messages.map((message) => (message.id === id ? how(message) : message));
}
