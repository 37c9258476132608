/**
 * The state of a chat on the page, as a pure reducer: the network and the clock stay in chat-run.ts. One turn at a time; a
 * user's message appears at once and returns to the draft if the turn fails.
 */

import type { Source } from "./sources.tsx";

export interface ChatMessage {
  readonly id: string;
  /** React's key, which stays when its id changes; absent: the id. */
  readonly key?: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Its pictures, as `data:` URLs. */
  readonly pictures?: readonly string[];
  /** Names of files that a program sent with it. Files attached on this page are in the chat's vector store instead. */
  readonly files?: readonly string[];
  /** The model's reasoning, if it shows any. */
  readonly reasoning: string;
  /** Its sources; absent: none. */
  readonly sources?: readonly Source[];
  readonly status: "done" | "waiting" | "streaming" | "stopped" | "filtered" | "cut";
  /** The model that answered; absent or empty: unknown, as for messages loaded from the server. */
  readonly model?: string | undefined;
  /** An answer to a question asked on another device. */
  readonly watched?: true;
  /** The item that a user's message follows, needed to ask it again. Absent: not known (yet). */
  readonly behind?: string;
  /** Branches that begin here, and the index of the one shown. */
  readonly versions?: { readonly branches: readonly string[]; readonly at: number };
}

export function keyOf({ key, id }: ChatMessage): string {
  return key ?? id;
}

export interface Notice {
  readonly kind: "error" | "limit" | "offline";
  readonly title: string;
  readonly advice: string;
  /** Whether sending the same text again may help. */
  readonly retry: boolean;
  /** Whether an `offline` notice can be closed; else it stays until the connection is back. */
  readonly dismissible?: boolean;
  /** The credential has ended: signing in again helps, and keeps the draft. */
  readonly signsIn?: true;
  /** For `limit`: when to try again, in milliseconds since 1970. */
  readonly untilMs?: number;
}

export interface ChatState {
  readonly messages: readonly ChatMessage[];
  readonly phase: "restoring" | "idle" | "waiting" | "streaming" | "stopping";
  readonly draft: string;
  readonly notice: Notice | null;
  /** Whether there are earlier messages. */
  readonly hasEarlier: boolean;
  /** The messages that a running turn replaces; they return if it fails. */
  readonly replaced: readonly ChatMessage[];
  /** A repeated question, or a request for the rest of an answer, that was refused: what to try again. A refused new message is in the draft. */
  readonly unsent: { readonly text: string; readonly insteadOf: ChatMessage | Rest } | null;
}

/** Stands for the rest of the last answer, which ended early. It is requested without typed text. */
export type Rest = "rest";

export type ChatEvent =
  | { readonly type: "draft-changed"; readonly text: string }
  | { readonly type: "restore-started" }
  | {
      readonly type: "restored";
      readonly messages: readonly ChatMessage[];
      readonly hasEarlier: boolean;
    }
  /** The saved messages after a turn was saved. An answer that is being written stays. */
  | {
      readonly type: "refreshed";
      readonly messages: readonly ChatMessage[];
      /** Joins them with those on screen (keep-shown.ts, which is loaded with the code for saved chats). */
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
      /** The message that it replaces by a new version; it is removed with all later ones. */
      readonly insteadOf?: string;
      /** The question comes from another device. */
      readonly watched?: boolean;
    }
  | { readonly type: "delta"; readonly answerId: string; readonly text: string; readonly reasoning: string }
  | { readonly type: "cited"; readonly answerId: string; readonly sources: readonly Source[] }
  | { readonly type: "stop-asked" }
  /** The server could not be reached: the turn continues. */
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
      /** Another device asked, and keeps the text itself. */
      readonly watched?: boolean;
      /** The text was not typed. */
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
            // A successful read shows that the connection is back.
            notice: state.notice?.kind === "offline" ? null : state.notice,
          }
        : state;
    case "sent":
      return {
        ...state,
        phase: "waiting",
        // A suggestion, an edit or another device's message leaves the draft alone.
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
      // If the message is on screen again unchanged, nothing need be kept.
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
